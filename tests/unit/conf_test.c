/* conf_test.c -- hallsync.yaml: the table walked, what is refused, and that the man page says what the table says. */
#include "node/conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum hs_err load(const char *text, struct hs_conf *conf, struct hs_why *why)
{
    char path[] = "/tmp/hallsync-conf.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    *why = (struct hs_why){0};
    enum hs_err err = hs_conf_load(path, conf, why);
    unlink(path);
    return err;
}

#define LEAST "node:\n  id: \"nj-gulou\"\n  role: \"hall\"\n  data: \"/var/lib/hallsync\"\n"

static void defaults(void **state)
{
    (void)state;
    struct hs_conf conf;
    struct hs_why why;
    assert_int_equal(load(LEAST, &conf, &why), HS_OK);
    assert_string_equal(conf.node.id, "nj-gulou");
    assert_string_equal(conf.listen.clients, "ipc:///var/lib/hallsync/hallsync.sock");
    assert_int_equal(conf.limits.credit_kib, 512);
    assert_int_equal(conf.link.heartbeat_ms, 2000);
    assert_string_equal(conf.log.level, "info");
    assert_int_equal(conf.utc_offset_minutes, 480);
    assert_int_equal(conf.upstreams_count, 0);
    assert_int_equal(conf.listen.peers_count, 0);
    hs_conf_free(&conf);
    hs_conf_free(&conf);
}

static void refused(const char *text, const char *wanted)
{
    struct hs_conf conf;
    struct hs_why why;
    assert_int_equal(load(text, &conf, &why), HS_ECONFIG);
    if (strstr(why.text, wanted) == NULL)
        fail_msg("'%s' is not in: %s", wanted, why.text);
}

static void bad_ones(void **state)
{
    (void)state;
    refused("", "empty");
    refused(LEAST "colour: red\n", "colour");
    refused(LEAST "colour: red\n", "line: 5");
    refused("node:\n  id: \"x\"\n  role: \"hall\"\n", "data");
    refused("node:\n  id: \"Hall 1\"\n  role: \"hall\"\n  data: \"/d\"\n", "Hall 1");
    refused("node:\n  id: \"x\"\n  role: \"king\"\n  data: \"/d\"\n", "king");
    refused("node:\n  id: \"x\"\n  role: \"hall\"\n  data: \"relative\"\n", "absolute");
    refused(LEAST "limits:\n  credit_kib: 1\n", "limits.credit_kib: 1 is not between 128 and 65536");
    refused(LEAST "limits:\n  credit_kib: many\n", "line: 6");
    refused(LEAST "retention:\n  days: 0\n", "retention.days: 0 is not between 1 and 36500 (line: 6)");
    refused(LEAST "limits:\n  flush_ms : 0\n  credit_kib: 512\n", "limits.flush_ms: 0 is not between 1 and");
    refused(LEAST "log:\n  level: \"loud\"\n", "loud");
    refused(LEAST "region:\n  utc_offset: \"8\"\n", "utc_offset");
    refused(LEAST "region:\n  utc_offset: \"+25:00\"\n", "utc_offset");
    refused(LEAST "listen:\n  clients: \"tcp://x:1\"\n", "ipc://");
    refused(LEAST "listen:\n  counters: \"tcp://x:1\"\n", "listen.counters");
    refused(LEAST "listen:\n  clients: \"ipc:///x\"\n  counters: \"ipc:///x\"\n", "the socket of listen.clients");
    refused(LEAST "upstreams:\n  - address: \"tcp://h:1\"\n", "key");
    refused("node: [1, 2\n", "");
    refused("node:\n  id: \"x\"\n  role: \"witness\"\n  data: \"/d\"\n", "listen.peers");
}

#define KEY1     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY2     "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define TO(host) "  - address: \"tcp://" host ":1\"\n"

static void bad_upstreams(void **state)
{
    (void)state;
    refused(LEAST "upstreams:\n" TO("a") "    key: \"" KEY1 "\"\n" TO("b") "    key: \"" KEY2
                                                                           "\"\n" TO("A") "    key: \"" KEY1 "\"\n",
            "tcp://A:1 is there twice (line: 10)");
    refused(LEAST "upstreams:\n" TO("a") "    key: \"" KEY1 "\"\n" TO("b") "    key: \"" KEY1 "\"\n    group: \"w\"\n",
            "have one key and so are one node");
    refused(LEAST "upstreams:\n" TO("a") "    key: \"x" KEY1 "\"\n", "line: 7");
    refused(LEAST "upstreams:\n" TO("a") "    key: \""
                                         "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n",
            "tcp://a:1 is not 64 hex digits (line: 7)");
    refused(LEAST "listen:\n  peers: [\"tcp://a:1\"]\nupstreams:\n" TO("a") "    key: \"" KEY1 "\"\n",
            "where this node itself listens (line: 8)");
    refused(LEAST "upstreams:\n" TO("a") "    key: \"" KEY1 "\"\n    group: \"a b\"\n", "group 'a b'");
    refused(LEAST "upstreams:\n" TO("a") "    key: \"" KEY1 "\"\n    bytes_per_second: 10\n",
            "bytes_per_second: 10 is not between 1000 and 1000000000 (line: 8)");
}

static void bad_hours(void **state)
{
    (void)state;
    static const char *const hours[] = {"08:00-24:00", "8:00-18:000", "08:00+18:00", "08:60-18:00", "08-00-18-00"};
    char text[512];
    for (size_t i = 0; i < sizeof hours / sizeof *hours; i++) {
        snprintf(text, sizeof text,
                 LEAST "upstreams:\n" TO("a") "    key: \"" KEY1
                                              "\"\n    bytes_per_second: 8000\n    limited_hours: \"%s\"\n",
                 hours[i]);
        refused(text, "does not look like 08:00-18:00 (line: 9)");
    }
    refused(LEAST "upstreams:\n" TO("a") "    key: \"" KEY1
                                         "\"\n    bytes_per_second: 8000\n    limited_hours: \"08:00-08:00\"\n",
            "ends when it begins");
    refused(LEAST "upstreams:\n" TO("a") "    key: \"" KEY1 "\"\n    limited_hours: \"08:00-18:00\"\n",
            "without bytes_per_second");
}

static void bad_scope(void **state)
{
    (void)state;
    refused(LEAST "scope:\n  districts: [\"3201\", \"320\"]\n", "'320' is no district of four digits");
    refused(LEAST "scope:\n  districts: [\"region\"]\n", "'region' is no district");
    refused(LEAST "scope:\n  districts:\n    - 3201\n    - 3202\n    - 3201\n", "3201 is there twice (line: 9)");
    refused("node:\n  id: \"x\"\n  role: \"witness\"\n  data: \"/d\"\nlisten:\n  peers: [\"tcp://0.0.0.0:1\"]\n"
            "scope:\n  districts: [\"3201\"]\n",
            "a witness holds no district; leave it out (line: 8)");
}

static void groups_and_limits(void **state)
{
    (void)state;
    struct hs_conf conf;
    struct hs_why why;
    assert_int_equal(load(LEAST "scope:\n  districts: [3202, \"3201\"]\nretention:\n  days: 30\n"
                                "upstreams:\n" TO("a") "    key: \"" KEY1 "\"\n" TO("b") "    key: \"" KEY1 "\"\n" TO(
                                    "w") "    key: \"" KEY2 "\"\n    group: \"witness\"\n"
                                         "    bytes_per_second: 8000\n    limited_hours: \"22:00-06:30\"\n",
                          &conf, &why),
                     HS_OK);
    assert_int_equal(conf.district_count, 2);
    assert_int_equal(conf.districts[0], 3201);
    assert_int_equal(conf.districts[1], 3202);
    assert_int_equal(conf.retention.days, 30);
    assert_string_equal(conf.upstreams[0].group, "hub");
    assert_int_equal(conf.upstreams[1].group_number, 0);
    assert_int_equal(conf.upstreams[2].group_number, 1);
    const struct hs_conf_upstream *night = &conf.upstreams[2];
    assert_int_equal(hs_conf_rate(night, 22 * 60), 8000);
    assert_int_equal(hs_conf_rate(night, 0), 8000);
    assert_int_equal(hs_conf_rate(night, 6 * 60 + 29), 8000);
    assert_int_equal(hs_conf_rate(night, 6 * 60 + 30), 0);
    assert_int_equal(hs_conf_rate(night, 21 * 60 + 59), 0);
    assert_int_equal(hs_conf_rate(&conf.upstreams[0], 600), 0);
    conf.upstreams[0].bytes_per_second = 9000;
    assert_int_equal(hs_conf_rate(&conf.upstreams[0], 600), 9000);
    hs_conf_free(&conf);
}

/* The longest path of a socket is taken, one byte more is not; what is written loads again. */
static void socket_paths(void **state)
{
    (void)state;
    char text[512];
    struct hs_conf conf;
    struct hs_why why;
    for (int size = 107; size <= 108; size++) {
        snprintf(text, sizeof text, LEAST "listen:\n  clients: \"ipc:///%0*d\"\n", size - 1, 0);
        assert_int_equal(load(text, &conf, &why), size == 107 ? HS_OK : HS_ECONFIG);
        hs_conf_free(&conf);
    }
}

static void missing_file(void **state)
{
    (void)state;
    struct hs_conf conf;
    struct hs_why why = {0};
    assert_int_equal(hs_conf_load("/nonexistent/hallsync.yaml", &conf, &why), HS_ENOSTORE);
    assert_non_null(strstr(why.text, "/nonexistent/hallsync.yaml"));
}

static char *written(const struct hs_conf *conf)
{
    struct hs_buf out = {0};
    hs_conf_write(conf, &out);
    hs_buf_put_u8(&out, 0);
    assert_int_equal(out.err, HS_OK);
    return (char *)out.data;
}

static void write_and_load_again(void **state)
{
    (void)state;
    struct hs_conf first, second;
    struct hs_why why;
    assert_int_equal(
        load(LEAST "listen:\n  peers: [\"tcp://0.0.0.0:7400\"]\nlimits:\n  flush_ms: 77\n"
                   "scope:\n  districts: [\"3201\"]\n"
                   "upstreams:\n  - address: \"tcp://hub:1\"\n    key: \"" KEY1 "\"\n" TO(
                       "w") "    key: \"" KEY2
                            "\"\n    group: witness\n    bytes_per_second: 2000\n    limited_hours: 08:00-18:00\n",
             &first, &why),
        HS_OK);
    char *text = written(&first);
    if (load(text, &second, &why) != HS_OK)
        fail_msg("%s\n%s", why.text, text);
    char *again = written(&second);
    assert_string_equal(text, again);
    assert_int_equal(second.limits.flush_ms, 77);
    assert_string_equal(second.upstreams[0].address, "tcp://hub:1");
    assert_string_equal(second.upstreams[1].limited_hours, "08:00-18:00");
    assert_int_equal(second.upstreams[1].bytes_per_second, 2000);
    free(text);
    free(again);
    hs_conf_free(&first);
    hs_conf_free(&second);
}

static void offsets(void **state)
{
    (void)state;
    int minutes = 1;
    assert_int_equal(hs_conf_offset("+08:00", &minutes), HS_OK);
    assert_int_equal(minutes, 480);
    assert_int_equal(hs_conf_offset("-03:30", &minutes), HS_OK);
    assert_int_equal(minutes, -210);
    assert_int_equal(hs_conf_offset("08:00", &minutes), HS_EVALUE);
    assert_int_equal(hs_conf_offset("+08:61", &minutes), HS_EVALUE);
    assert_int_equal(hs_conf_offset("+8:000", &minutes), HS_EVALUE);
    assert_int_equal(hs_conf_offset("++8:00", &minutes), HS_EVALUE);
}

#define DEFAULT "; default: "

/* What holds where the key is not given is said once: in the help where words are needed, else it is the preset. */
static void man_entry(const char *name, const char *help, bool required, const char *preset, char entry[static 512])
{
    const char *words = strstr(help, DEFAULT);
    size_t size = words != NULL ? (size_t)(words - help) : strlen(help);
    snprintf(entry, 512, ".TP\n.B %s\n%.*s.\n%s%s.\n", name, (int)size, help, required ? "Must be " : "Default: ",
             required        ? "given"
             : words != NULL ? words + strlen(DEFAULT)
                             : preset);
}

/* hallsync.yaml(5) is written from the table: a key that the page lacks, or tells otherwise, fails here. */
static void man_page(void **state)
{
    (void)state;
    static char page[65536];
    FILE *file = fopen(HS_SOURCE_DIR "/docs/man/hallsync.yaml.5", "r");
    assert_non_null(file);
    size_t size = fread(page, 1, sizeof page - 1, file);
    fclose(file);
    page[size] = '\0';
    char wanted[512];
#define PRESET_TEXT(preset) (preset[0] != '\0' ? preset : "none")
#define PRESET_LIST(preset) "none"
#define PRESET_UINT(preset) #preset
    enum { NONE, RELOAD, REQUIRED };
#define KEY(section, key, KIND, preset, min, max, flags, help)                            \
    man_entry(#section "." #key, help, flags == REQUIRED, PRESET_##KIND(preset), wanted); \
    if (strstr(page, wanted) == NULL)                                                     \
        fail_msg("docs/man/hallsync.yaml.5 lacks:\n%s", wanted);
#define SECTION(section, KEYS, required) KEYS(KEY)
    HS_CONF_SECTIONS(SECTION)
    HS_CONF_UPSTREAM(KEY)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),     cmocka_unit_test(bad_ones),     cmocka_unit_test(bad_upstreams),
        cmocka_unit_test(bad_hours),    cmocka_unit_test(bad_scope),    cmocka_unit_test(groups_and_limits),
        cmocka_unit_test(socket_paths), cmocka_unit_test(missing_file), cmocka_unit_test(write_and_load_again),
        cmocka_unit_test(offsets),      cmocka_unit_test(man_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

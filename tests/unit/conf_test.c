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
    refused(LEAST "log:\n  level: \"loud\"\n", "loud");
    refused(LEAST "region:\n  utc_offset: \"8\"\n", "utc_offset");
    refused(LEAST "region:\n  utc_offset: \"+25:00\"\n", "utc_offset");
    refused(LEAST "listen:\n  clients: \"tcp://x:1\"\n", "ipc://");
    refused(LEAST "upstreams:\n  - address: \"tcp://h:1\"\n", "key");
    refused("node: [1, 2\n", "");
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
    assert_int_equal(load(LEAST "listen:\n  peers: [\"tcp://0.0.0.0:7400\"]\nlimits:\n  flush_ms: 77\n"
                                "upstreams:\n  - address: \"tcp://hub:1\"\n    key: "
                                "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n",
                          &first, &why),
                     HS_OK);
    char *text = written(&first);
    if (load(text, &second, &why) != HS_OK)
        fail_msg("%s\n%s", why.text, text);
    char *again = written(&second);
    assert_string_equal(text, again);
    assert_int_equal(second.limits.flush_ms, 77);
    assert_string_equal(second.upstreams[0].address, "tcp://hub:1");
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
#define KEY(section, key, KIND, preset, min, max, flags, help)                                  \
    snprintf(wanted, sizeof wanted, ".TP\n.B %s.%s\n%s.\nDefault: %s.\n", #section, #key, help, \
             PRESET_##KIND(preset));                                                            \
    if (strstr(page, wanted) == NULL)                                                           \
        fail_msg("docs/man/hallsync.yaml.5 lacks:\n%s", wanted);
#define SECTION(section, KEYS, required) KEYS(KEY)
    HS_CONF_SECTIONS(SECTION)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(socket_paths),
        cmocka_unit_test(missing_file),
        cmocka_unit_test(write_and_load_again),
        cmocka_unit_test(offsets),
        cmocka_unit_test(man_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

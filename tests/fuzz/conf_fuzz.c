/* conf_fuzz.c -- hallsync.yaml: loads or says why not, with nothing left behind; and what has been loaded and written
 * is loaded again the same. */
#include "node/conf/conf.h"
#include "tests/fuzz/fuzz_file.h"

/* hs_conf_write() puts texts in double quotes as they are, and a socket's path that check_clients() allows may be
 * longer than the table does: such a file is not loaded again. */
static bool is_plain(const struct hs_conf *conf)
{
    struct hs_buf all = {0};
    bool plain = strlen(conf->listen.clients) <= 107;
#define PUT_TEXT(key) hs_buf_put_format(&all, "%s", conf->key);
#define PUT_UINT(key)
#define PUT_LIST(key)                                \
    for (unsigned i = 0; i < conf->key##_count; i++) \
        hs_buf_put_format(&all, "%s", conf->key[i]);
#define PUT(section, key, KIND, ...) PUT_##KIND(section.key)
#define X(section, KEYS, required)   KEYS(PUT)
    HS_CONF_SECTIONS(X)
#undef X
    for (unsigned i = 0; i < conf->upstreams_count; i++)
        hs_buf_put_format(&all, "%s%s%s%s", conf->upstreams[i].address, conf->upstreams[i].key,
                          conf->upstreams[i].group, conf->upstreams[i].limited_hours);
    for (size_t i = 0; i < all.size; i++)
        plain = plain && all.data[i] >= ' ' && all.data[i] < 0x7f && all.data[i] != '"' && all.data[i] != '\\';
    hs_buf_fini(&all);
    return plain;
}

static void check_limits(const struct hs_conf *conf)
{
    FUZZ_CHECK(strcmp(conf->node.role, "hall") == 0 || strcmp(conf->node.role, "hub") == 0 ||
               strcmp(conf->node.role, "witness") == 0);
    FUZZ_CHECK(strlen(conf->node.id) >= 1 && strlen(conf->node.id) <= 32);
    FUZZ_CHECK(conf->node.data[0] == '/');
    FUZZ_CHECK(strncmp(conf->listen.clients, "ipc://", 6) == 0);
    FUZZ_CHECK(conf->listen.peers_count <= 8);
    FUZZ_CHECK(conf->limits.credit_kib >= 128 && conf->limits.credit_kib <= 65536);
    FUZZ_CHECK(conf->link.heartbeat_ms >= 100);
    FUZZ_CHECK(conf->utc_offset_minutes > -24 * 60 && conf->utc_offset_minutes < 24 * 60);
    FUZZ_CHECK(conf->upstreams_count <= HS_CONF_UPSTREAMS_MAX);
    for (unsigned i = 0; i < conf->upstreams_count; i++)
        FUZZ_CHECK(conf->upstreams[i].group_number < HS_CONF_GROUPS_MAX && conf->upstreams[i].limited_from < 1440 &&
                   conf->upstreams[i].limited_to < 1440);
    for (size_t i = 0; i < conf->district_count; i++)
        FUZZ_CHECK(conf->districts[i] < 10000 && (i == 0 || conf->districts[i - 1] < conf->districts[i]));
}

static void load(struct hs_bytes bytes, struct hs_buf *written)
{
    char path[64];
    struct hs_conf conf;
    struct hs_why why = {{0}};
    int fd = fuzz_file(bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum hs_err err = hs_conf_load(path, &conf, &why);
    close(fd);
    FUZZ_CHECK(err == HS_OK || err == HS_ECONFIG);
    FUZZ_CHECK(err == HS_OK || why.text[0] != '\0');
    if (err == HS_OK) {
        check_limits(&conf);
        if (is_plain(&conf))
            hs_conf_write(&conf, written);
    }
    hs_conf_free(&conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_buf first = {0}, second = {0};
    load(HS_BYTES(data, size), &first);
    if (first.size > 0) {
        load(hs_buf_bytes(&first), &second);
        FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&first), hs_buf_bytes(&second)));
    }
    hs_buf_fini(&first);
    hs_buf_fini(&second);
    return 0;
}

void fuzz_seeds(fuzz_put put)
{
    static const char LEAST[] = "node: {id: a, role: hall, data: /d}\n";
    static const char HUB[] =
        "node:\n  id: hub-1\n  role: hub\n  data: /var/lib/hallsync\nlisten:\n  peers: [\"tcp://0.0.0.0:7400\"]\n"
        "  clients: ipc:///run/x\nlimits: {credit_kib: 128, flush_ms: 1}\nlink: {heartbeat_ms: 60000}\n"
        "log: {level: debug}\nregion: {utc_offset: \"-09:30\"}\nrules: {unknown_accounts: accept}\n";
    static const char UPSTREAMS[] =
        "node: &a {id: a, role: hall, data: /d}\nupstreams:\n  - address: tcp://h:1\n    key: "
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
    static const char WITNESS[] =
        "node: {id: w, role: witness, data: /d}\nlisten: {peers: [\"tcp://0.0.0.0:7400\"]}\n"
        "upstreams: [{address: tcp://h:1, key: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, "
        "group: far, bytes_per_second: 8000, limited_hours: 18:00-08:00}]\n";
    static const char TIER[] =
        "node: {id: h, role: hub, data: /d}\nscope: {districts: [3202, \"3201\"]}\nretention: {days: 1}\n";
    static const char WRONG[] = "node: {id: a, role: hall, data: /d, what: 1}\nlimits: {credit_kib: -1}\n...\n--- *a\n";
    put("least", HS_BYTES(LEAST, sizeof LEAST - 1));
    put("hub", HS_BYTES(HUB, sizeof HUB - 1));
    put("upstreams", HS_BYTES(UPSTREAMS, sizeof UPSTREAMS - 1));
    put("witness", HS_BYTES(WITNESS, sizeof WITNESS - 1));
    put("tier", HS_BYTES(TIER, sizeof TIER - 1));
    put("wrong", HS_BYTES(WRONG, sizeof WRONG - 1));
    put("empty", HS_BYTES_NONE);
}

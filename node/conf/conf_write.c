#include "node/conf/conf.h"

#include <string.h>

/* ---- keys ---- */

static void write_text(struct hs_buf *out, const char *key, const char *value, const char *preset)
{
    bool set = value != NULL && strcmp(value, preset) != 0;
    hs_buf_put_format(out, "  %s%s: \"%s\"\n", set ? "" : "# ", key, set ? value : preset);
}

static void write_uint(struct hs_buf *out, const char *key, uint32_t value, uint32_t preset)
{
    bool set = value != 0 && value != preset;
    hs_buf_put_format(out, "  %s%s: %u\n", set ? "" : "# ", key, set ? value : preset);
}

static void write_list(struct hs_buf *out, const char *key, char *const *values, unsigned count)
{
    hs_buf_put_format(out, "  %s%s: [", count != 0 ? "" : "# ", key);
    for (unsigned i = 0; i < count; i++)
        hs_buf_put_format(out, "%s\"%s\"", i == 0 ? "" : ", ", values[i]);
    hs_buf_put_format(out, "]\n");
}

/* ---- upstreams: a list of entries ---- */

static void put_entry_text(struct hs_buf *out, bool *first, const char *key, const char *value, const char *preset)
{
    if (value == NULL || strcmp(value, preset) == 0)
        return;
    hs_buf_put_format(out, "  %s %s: \"%s\"\n", *first ? "-" : " ", key, value);
    *first = false;
}

static void put_entry_uint(struct hs_buf *out, bool *first, const char *key, uint32_t value, uint32_t preset)
{
    if (value == preset)
        return;
    hs_buf_put_format(out, "  %s %s: %u\n", *first ? "-" : " ", key, value);
    *first = false;
}

static void put_help_text(struct hs_buf *out, const char *key, const char *preset, const char *help)
{
    hs_buf_put_format(out, "#   %s: \"%s\"  # %s\n", key, preset, help);
}

static void put_help_uint(struct hs_buf *out, const char *key, uint32_t preset, const char *help)
{
    hs_buf_put_format(out, "#   %s: %u  # %s\n", key, preset, help);
}

static void write_upstreams(struct hs_buf *out, const struct hs_conf *conf)
{
    hs_buf_put_format(out, "\n# The hubs and witnesses that this node dials; of each (a join writes the hub's):\n");
#define HELP_TEXT(key, preset, help)                            put_help_text(out, #key, preset, help);
#define HELP_UINT(key, preset, help)                            put_help_uint(out, #key, preset, help);
#define HELP(section, key, KIND, preset, min, max, flags, help) HELP_##KIND(key, preset, help)
    HS_CONF_UPSTREAM(HELP)
    hs_buf_put_format(out, conf->upstreams_count == 0 ? "# upstreams: []\n" : "upstreams:\n");
    for (unsigned i = 0; i < conf->upstreams_count; i++) {
        const struct hs_conf_upstream *upstream = &conf->upstreams[i];
        bool first = true;
#define ENTRY_TEXT(key, preset)                put_entry_text(out, &first, #key, upstream->key, preset);
#define ENTRY_UINT(key, preset)                put_entry_uint(out, &first, #key, upstream->key, preset);
#define ENTRY(section, key, KIND, preset, ...) ENTRY_##KIND(key, preset)
        HS_CONF_UPSTREAM(ENTRY)
    }
}

/* ---- sections ---- */

/* libyaml refuses a mapping with nothing in it, so a section's heading is a comment too while all its keys are. */
static void write_section(struct hs_buf *out, const char *name, struct hs_buf *keys)
{
    bool any = false;
    struct hs_bytes text = hs_buf_bytes(keys);
    for (size_t i = 0; i + 3 < text.size; i++)
        any = any || ((i == 0 || text.data[i - 1] == '\n') && text.data[i + 2] != '#');
    hs_buf_put_format(out, "\n%s%s:\n", any ? "" : "# ", name);
    hs_buf_put_bytes(out, text);
    hs_buf_reset(keys);
}

void hs_conf_write(const struct hs_conf *conf, struct hs_buf *out)
{
    struct hs_buf keys = {0};
    hs_buf_put_format(out,
                      "# hallsync.yaml: configuration of hallsyncd. What is commented out stands at its default.\n");
#define WRITE_TEXT(section, key, preset) write_text(&keys, #key, conf->section.key, preset);
#define WRITE_UINT(section, key, preset) write_uint(&keys, #key, conf->section.key, preset);
#define WRITE_LIST(section, key, preset) write_list(&keys, #key, conf->section.key, conf->section.key##_count);
#define WRITE(section, key, KIND, preset, min, max, flags, help) \
    hs_buf_put_format(&keys, "  # %s\n", help);                  \
    WRITE_##KIND(section, key, preset)
#define X(section, KEYS, required) \
    KEYS(WRITE)                    \
    write_section(out, #section, &keys);
    HS_CONF_SECTIONS(X)
#undef X
    write_upstreams(out, conf);
    if (keys.err != HS_OK)
        out->err = keys.err;
    hs_buf_fini(&keys);
}

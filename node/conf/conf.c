#include "node/conf/conf.h"

#include "proto/base/names.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the schema, from the table ---- */

static const cyaml_schema_value_t TEXT_ENTRY = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 4096)};

enum { NONE = CYAML_FLAG_OPTIONAL, RELOAD = CYAML_FLAG_OPTIONAL, REQUIRED = CYAML_FLAG_DEFAULT };

#define FIELD_TEXT(type, key, min, max, flags) \
    CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | (flags), type, key, min, max),
#define FIELD_LIST(type, key, min, max, flags) \
    CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | (flags), type, key, &TEXT_ENTRY, 0, max),
#define FIELD_UINT(type, key, min, max, flags) CYAML_FIELD_UINT(#key, flags, type, key),
#define FIELD(section, key, KIND, preset, min, max, flags, help) \
    FIELD_##KIND(struct hs_conf_##section, key, min, max, flags)
#define SECTION(section, KEYS, required) \
    static const cyaml_schema_field_t section##_fields[] = {KEYS(FIELD) CYAML_FIELD_END};
HS_CONF_SECTIONS(SECTION)

static const cyaml_schema_field_t upstream_fields[] = {
    CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct hs_conf_upstream, address, 1, 128),
    CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, struct hs_conf_upstream, key, 64, 64),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t UPSTREAM_ENTRY = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct hs_conf_upstream, upstream_fields)};

static const cyaml_schema_field_t top_fields[] = {
#define X(section, KEYS, required)                                                                                \
    CYAML_FIELD_MAPPING(#section, (required) ? CYAML_FLAG_DEFAULT : CYAML_FLAG_OPTIONAL, struct hs_conf, section, \
                        section##_fields),
    HS_CONF_SECTIONS(X)
#undef X
        CYAML_FIELD_SEQUENCE("upstreams", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct hs_conf, upstreams,
                             &UPSTREAM_ENTRY, 0, 16),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t TOP = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct hs_conf, top_fields)};

/* ---- errors: libcyaml says what is wrong first, then where, outwards ---- */

struct complaint {
    char what[200];
    char where[120];
};

__attribute__((format(printf, 3, 0))) static void keep_complaint(cyaml_log_t level, void *ctx, const char *format,
                                                                 va_list args)
{
    struct complaint *complaint = ctx;
    char line[256];
    if (level < CYAML_LOG_ERROR)
        return;
    vsnprintf(line, sizeof line, format, args);
    line[strcspn(line, "\n")] = '\0';
    const char *text = strncmp(line, "Load: ", 6) == 0 ? line + 6 : line;
    text += strspn(text, " ");
    if (complaint->what[0] == '\0')
        snprintf(complaint->what, sizeof complaint->what, "%.199s", text);
    else if (complaint->where[0] == '\0' && strstr(text, "line: ") != NULL)
        snprintf(complaint->where, sizeof complaint->where, "%.119s", text);
}

/* For an unknown key libcyaml names the line of the mapping that it stands in; people want the key's own. */
static void find_unknown_key(const char *path, struct complaint *complaint)
{
    static const char unexpected[] = "Unexpected key: ";
    if (strncmp(complaint->what, unexpected, sizeof unexpected - 1) != 0)
        return;
    const char *key = complaint->what + sizeof unexpected - 1;
    size_t size = strlen(key);
    char line[4096];
    FILE *file = fopen(path, "re");
    for (unsigned number = 1; file != NULL && fgets(line, sizeof line, file) != NULL; number++) {
        const char *text = line + strspn(line, " -\"'");
        if (strncmp(text, key, size) == 0 && strchr(":\"' ", text[size]) != NULL)
            snprintf(complaint->where, sizeof complaint->where, "(line: %u)", number);
    }
    if (file != NULL)
        fclose(file);
}

static cyaml_config_t reader(struct complaint *complaint)
{
    return (cyaml_config_t){.log_fn = keep_complaint,
                            .log_ctx = complaint,
                            .mem_fn = cyaml_mem,
                            .log_level = CYAML_LOG_ERROR,
                            .flags = CYAML_CFG_DEFAULT};
}

/* ---- defaults and checks ---- */

static bool preset_text(char **key, const char *preset)
{
    if (*key == NULL)
        *key = strdup(preset);
    return *key != NULL;
}

static bool preset_uint(uint32_t *key, uint32_t preset)
{
    if (*key == 0)
        *key = preset;
    return true;
}

static bool fill_defaults(struct hs_conf *conf)
{
    bool ok = true;
#define PRESET_TEXT(at, preset) ok = preset_text(&(at), preset) && ok;
#define PRESET_UINT(at, preset) ok = preset_uint(&(at), preset) && ok;
#define PRESET_LIST(at, preset)
#define PRESET(section, key, KIND, preset, ...) PRESET_##KIND(conf->section.key, preset)
#define X(section, KEYS, required)              KEYS(PRESET)
    HS_CONF_SECTIONS(X)
#undef X
    return ok;
}

static enum hs_err check_range(const char *name, uint32_t value, uint32_t min, uint32_t max, struct hs_why *why)
{
    if (value >= min && value <= max)
        return HS_OK;
    return hs_fail(HS_ECONFIG, why, "%s: %u is not between %u and %u", name, value, min, max);
}

static enum hs_err check_ranges(const struct hs_conf *conf, struct hs_why *why)
{
    enum hs_err err = HS_OK;
#define RANGE_TEXT(name, at, min, max)
#define RANGE_LIST(name, at, min, max)
#define RANGE_UINT(name, at, min, max) \
    if (err == HS_OK)                  \
        err = check_range(name, at, min, max, why);
#define RANGE(section, key, KIND, preset, min, max, flags, help) \
    RANGE_##KIND(#section "." #key, conf->section.key, min, max)
#define X(section, KEYS, required) KEYS(RANGE)
    HS_CONF_SECTIONS(X)
#undef X
    return err;
}

static enum hs_err check_choice(const char *name, const char *value, const char *const *choices, struct hs_why *why)
{
    for (size_t i = 0; choices[i] != NULL; i++) {
        if (strcmp(value, choices[i]) == 0)
            return HS_OK;
    }
    return hs_fail(HS_ECONFIG, why, "%s: '%s' is not one of the values that the sample names", name, value);
}

static enum hs_err check_choices(const struct hs_conf *conf, struct hs_why *why)
{
    static const char *const roles[] = {"hall", "hub", NULL};
    static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
    static const char *const rules[] = {"refuse", "accept", NULL};
    enum hs_err err = check_choice("node.role", conf->node.role, roles, why);
    if (err == HS_OK)
        err = check_choice("log.level", conf->log.level, levels, why);
    if (err == HS_OK)
        err = check_choice("rules.unknown_accounts", conf->rules.unknown_accounts, rules, why);
    return err;
}

static enum hs_err check_clients(struct hs_conf *conf, struct hs_why *why)
{
    if (conf->listen.clients[0] == '\0') {
        free(conf->listen.clients);
        if (asprintf(&conf->listen.clients, "ipc://%s/hallsync.sock", conf->node.data) < 0) {
            conf->listen.clients = NULL;
            return HS_ENOMEM;
        }
    }
    if (strncmp(conf->listen.clients, "ipc://", 6) != 0)
        return hs_fail(HS_ECONFIG, why, "listen.clients: '%s' does not begin with ipc://", conf->listen.clients);
    if (strlen(conf->listen.clients) - 6 > 107)
        return hs_fail(HS_ECONFIG, why,
                       "listen.clients: the path of a socket has at most 107 bytes; set a shorter one");
    return HS_OK;
}

static int two_digits(const char *text)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return -1;
    return (text[0] - '0') * 10 + (text[1] - '0');
}

enum hs_err hs_conf_offset(const char *text, int *minutes)
{
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
        return HS_EVALUE;
    int hours = two_digits(text + 1), rest = two_digits(text + 4);
    if (hours < 0 || hours > 14 || rest < 0 || rest > 59)
        return HS_EVALUE;
    *minutes = (text[0] == '-' ? -1 : 1) * (hours * 60 + rest);
    return HS_OK;
}

static enum hs_err check(struct hs_conf *conf, struct hs_why *why)
{
    enum hs_err err = check_ranges(conf, why);
    if (err == HS_OK)
        err = check_choices(conf, why);
    if (err == HS_OK && !hs_node_id_valid(conf->node.id))
        err = hs_fail(HS_ECONFIG, why, "node.id: '%s' is not made of a-z, 0-9 and -, beginning with a letter",
                      conf->node.id);
    if (err == HS_OK && conf->node.data[0] != '/')
        err = hs_fail(HS_ECONFIG, why, "node.data: '%s' is not an absolute path", conf->node.data);
    if (err == HS_OK)
        err = check_clients(conf, why);
    if (err == HS_OK && hs_conf_offset(conf->region.utc_offset, &conf->utc_offset_minutes) != HS_OK)
        err = hs_fail(HS_ECONFIG, why, "region.utc_offset: '%s' does not look like +08:00", conf->region.utc_offset);
    return err;
}

/* ---- load ---- */

enum hs_err hs_conf_load(const char *path, struct hs_conf *conf, struct hs_why *why)
{
    *conf = (struct hs_conf){0};
    if (access(path, R_OK) != 0)
        return hs_fail(hs_err_from_errno(errno), why, "%s: %s", path, strerror(errno));
    struct complaint complaint = {0};
    cyaml_config_t config = reader(&complaint);
    struct hs_conf *loaded = NULL;
    cyaml_err_t code = cyaml_load_file(path, &config, &TOP, (cyaml_data_t **)&loaded, NULL);
    find_unknown_key(path, &complaint);
    if (code != CYAML_OK)
        return hs_fail(HS_ECONFIG, why, "%s: %s %s", path,
                       complaint.what[0] != '\0' ? complaint.what : cyaml_strerror(code), complaint.where);
    if (loaded == NULL)
        return hs_fail(HS_ECONFIG, why, "%s: the file is empty", path);
    enum hs_err err = fill_defaults(loaded) ? check(loaded, why) : HS_ENOMEM;
    *conf = *loaded;
    conf->loaded = loaded;
    if (err != HS_OK) {
        hs_conf_free(conf);
        return err == HS_ENOMEM ? err : hs_wrap(err, why, "%s", path);
    }
    return HS_OK;
}

void hs_conf_free(struct hs_conf *conf)
{
    struct complaint complaint = {0};
    cyaml_config_t config = reader(&complaint);
    if (conf->loaded != NULL)
        cyaml_free(&config, &TOP, conf->loaded, 0);
    *conf = (struct hs_conf){0};
}

/* ---- write ---- */

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

static void write_upstreams(struct hs_buf *out, const struct hs_conf *conf)
{
    hs_buf_put_format(out,
                      "\n# Hubs that this node dials, in this order: address and CURVE key (a join writes them).\n");
    if (conf->upstreams_count == 0) {
        hs_buf_put_format(out,
                          "# upstreams:\n#   - address: \"tcp://hub.example:7400\"\n#     key: \"64 hex digits\"\n");
        return;
    }
    hs_buf_put_format(out, "upstreams:\n");
    for (unsigned i = 0; i < conf->upstreams_count; i++)
        hs_buf_put_format(out, "  - address: \"%s\"\n    key: \"%s\"\n", conf->upstreams[i].address,
                          conf->upstreams[i].key);
}

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

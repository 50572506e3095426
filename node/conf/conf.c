#include "node/conf/conf_private.h"

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

#define UPSTREAM_FIELD(section, key, KIND, preset, min, max, flags, help) \
    FIELD_##KIND(struct hs_conf_upstream, key, min, max, flags)
static const cyaml_schema_field_t upstream_fields[] = {HS_CONF_UPSTREAM(UPSTREAM_FIELD) CYAML_FIELD_END};
static const cyaml_schema_value_t UPSTREAM_ENTRY = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct hs_conf_upstream, upstream_fields)};

static const cyaml_schema_field_t top_fields[] = {
#define X(section, KEYS, required)                                                                                \
    CYAML_FIELD_MAPPING(#section, (required) ? CYAML_FLAG_DEFAULT : CYAML_FLAG_OPTIONAL, struct hs_conf, section, \
                        section##_fields),
    HS_CONF_SECTIONS(X)
#undef X
        CYAML_FIELD_SEQUENCE("upstreams", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct hs_conf, upstreams,
                             &UPSTREAM_ENTRY, 0, HS_CONF_UPSTREAMS_MAX),
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

unsigned hs_conf_key_line(const char *path, const char *key)
{
    size_t size = strlen(key);
    unsigned found = 0;
    char line[4096];
    FILE *file = fopen(path, "re");
    for (unsigned number = 1; file != NULL && fgets(line, sizeof line, file) != NULL; number++) {
        const char *text = line + strspn(line, " -\"'");
        if (strncmp(text, key, size) == 0 && strchr(":\"' ", text[size]) != NULL)
            found = number;
    }
    if (file != NULL)
        fclose(file);
    return found;
}

/* For an unknown key libcyaml names the line of the mapping that it stands in; people want the key's own. */
static void find_unknown_key(const char *path, struct complaint *complaint)
{
    static const char unexpected[] = "Unexpected key: ";
    if (strncmp(complaint->what, unexpected, sizeof unexpected - 1) != 0)
        return;
    unsigned line = hs_conf_key_line(path, complaint->what + sizeof unexpected - 1);
    if (line != 0)
        snprintf(complaint->where, sizeof complaint->where, "(line: %u)", line);
}

static cyaml_config_t reader(struct complaint *complaint)
{
    return (cyaml_config_t){.log_fn = keep_complaint,
                            .log_ctx = complaint,
                            .mem_fn = cyaml_mem,
                            .log_level = CYAML_LOG_ERROR,
                            .flags = CYAML_CFG_DEFAULT};
}

/* ---- defaults ---- */

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
#define PRESET_UPSTREAM(section, key, KIND, preset, ...) PRESET_##KIND(conf->upstreams[i].key, preset)
    for (unsigned i = 0; i < conf->upstreams_count; i++) {
        HS_CONF_UPSTREAM(PRESET_UPSTREAM)
    }
    return ok;
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
    enum hs_err err = hs_conf_check_zeros(loaded, path, why);
    if (err == HS_OK)
        err = fill_defaults(loaded) ? hs_conf_check(loaded, path, why) : HS_ENOMEM;
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

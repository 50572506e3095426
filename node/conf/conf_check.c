#include "node/conf/conf_private.h"

#include "proto/base/text.h"
#include "proto/sealed/recovery.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY_MINUTES (24 * 60)
#define KEY_BYTES   32
#define RATE_MIN    1000 /* below, one segment would take half a minute */
#define RATE_MAX    1000000000

struct checked {
    struct hs_conf *conf;
    const char *path;
    struct hs_why *why;
};

/* ---- complaints with their line ---- */

/* The line where @text stands for the @nth time, of its last one if it does not stand there so often; 0: nowhere. */
static unsigned find_line(const char *path, const char *text, unsigned nth)
{
    char line[4096];
    unsigned found = 0;
    FILE *file = fopen(path, "re");
    for (unsigned number = 1; file != NULL && nth > 0 && fgets(line, sizeof line, file) != NULL; number++) {
        line[strcspn(line, "#")] = '\0';
        for (const char *at = strcasestr(line, text); at != NULL && nth > 0; at = strcasestr(at + 1, text)) {
            found = number;
            nth--;
        }
    }
    if (file != NULL)
        fclose(file);
    return found;
}

__attribute__((format(printf, 4, 5))) static enum hs_err complain(struct checked *checked, const char *at, unsigned nth,
                                                                  const char *format, ...)
{
    char text[HS_WHY_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    unsigned line = find_line(checked->path, at, nth);
    return line == 0 ? hs_fail(HS_ECONFIG, checked->why, "%s", text)
                     : hs_fail(HS_ECONFIG, checked->why, "%.280s (line: %u)", text, line);
}

/* ---- each key by itself ---- */

static enum hs_err check_range(const char *name, uint32_t value, uint32_t min, uint32_t max, struct hs_why *why)
{
    if (value >= min && value <= max)
        return HS_OK;
    return hs_fail(HS_ECONFIG, why, "%s: %u is not between %u and %u", name, value, min, max);
}

static enum hs_err check_zero(const char *path, const char *name, uint32_t value, uint32_t min, uint32_t max,
                              struct hs_why *why)
{
    unsigned line = value == 0 && min > 0 ? hs_conf_key_line(path, strchr(name, '.') + 1) : 0;
    return line == 0 ? HS_OK
                     : hs_fail(HS_ECONFIG, why, "%s: 0 is not between %u and %u (line: %u)", name, min, max, line);
}

enum hs_err hs_conf_check_zeros(const struct hs_conf *conf, const char *path, struct hs_why *why)
{
    enum hs_err err = HS_OK;
#define ZERO_TEXT(name, at, min, max)
#define ZERO_LIST(name, at, min, max)
#define ZERO_UINT(name, at, min, max) \
    if (err == HS_OK)                 \
        err = check_zero(path, name, at, min, max, why);
#define ZERO(section, key, KIND, preset, min, max, flags, help) \
    ZERO_##KIND(#section "." #key, conf->section.key, min, max)
#define X(section, KEYS, required) KEYS(ZERO)
    HS_CONF_SECTIONS(X)
#undef X
    return err;
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
    static const char *const roles[] = {"hall", "hub", "witness", NULL};
    static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
    static const char *const formats[] = {"auto", "text", "json", "journal", NULL};
    static const char *const answers[] = {"yes", "no", NULL};
    static const char *const rules[] = {"refuse", "accept", NULL};
    enum hs_err err = check_choice("node.role", conf->node.role, roles, why);
    if (err == HS_OK)
        err = check_choice("log.level", conf->log.level, levels, why);
    if (err == HS_OK)
        err = check_choice("log.format", conf->log.format, formats, why);
    if (err == HS_OK)
        err = check_choice("rules.unknown_accounts", conf->rules.unknown_accounts, rules, why);
    if (err == HS_OK)
        err = check_choice("rules.reconnect_on_payment", conf->rules.reconnect_on_payment, answers, why);
    if (err == HS_OK)
        err = check_choice("rules.escalate_overdue", conf->rules.escalate_overdue, answers, why);
    if (err == HS_OK)
        err = check_choice("backup.second_store", conf->backup.second_store, answers, why);
    return err;
}

static enum hs_err check_socket(const char *name, const char *value, struct hs_why *why)
{
    if (strncmp(value, "ipc://", 6) != 0)
        return hs_fail(HS_ECONFIG, why, "%s: '%s' does not begin with ipc://", name, value);
    if (strlen(value) - 6 > 107)
        return hs_fail(HS_ECONFIG, why, "%s: the path of a socket has at most 107 bytes; set a shorter one", name);
    return HS_OK;
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
    enum hs_err err = check_socket("listen.clients", conf->listen.clients, why);
    if (err == HS_OK && conf->listen.counters[0] != '\0')
        err = check_socket("listen.counters", conf->listen.counters, why);
    if (err == HS_OK && strcmp(conf->listen.clients, conf->listen.counters) == 0)
        err = hs_fail(HS_ECONFIG, why, "listen.counters: '%s' is the socket of listen.clients", conf->listen.counters);
    return err;
}

static enum hs_err check_backup(struct checked *checked)
{
    struct hs_conf *conf = checked->conf;
    struct hs_conf_backup *backup = &conf->backup;
    if (backup->dir[0] == '\0') {
        free(backup->dir);
        if (asprintf(&backup->dir, "%s/backups", conf->node.data) < 0) {
            backup->dir = NULL;
            return HS_ENOMEM;
        }
    }
    if (backup->dir[0] != '/')
        return complain(checked, backup->dir, 1, "backup.dir: '%s' is not an absolute path", backup->dir);
    conf->backup_key_count = 0;
    for (unsigned i = 0; i < backup->recipients_count; i++) {
        if (hs_recovery_parse(backup->recipients[i], &conf->backup_keys[conf->backup_key_count++]) != HS_OK)
            return complain(checked, backup->recipients[i], 1,
                            "backup.recipients: '%s' is not a recovery key, hsr1-...", backup->recipients[i]);
    }
    return HS_OK;
}

static enum hs_err check_admin(struct checked *checked)
{
    struct hs_conf_admin *admin = &checked->conf->admin;
    if (admin->dir[0] == '\0') {
        free(admin->dir);
        if (asprintf(&admin->dir, "%s/admin", checked->conf->node.data) < 0) {
            admin->dir = NULL;
            return HS_ENOMEM;
        }
    }
    if (admin->dir[0] != '/')
        return complain(checked, admin->dir, 1, "admin.dir: '%s' is not an absolute path", admin->dir);
    return HS_OK;
}

static enum hs_err check_hook(struct checked *checked)
{
    const struct hs_conf_hook *hook = &checked->conf->hook;
    if (hook->command[0] != '\0' && hook->command[0] != '/')
        return complain(checked, hook->command, 1, "hook.command: '%s' is not an absolute path", hook->command);
    if (hook->file[0] != '\0' && hook->file[0] != '/')
        return complain(checked, hook->file, 1, "hook.file: '%s' is not an absolute path", hook->file);
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

/* ---- upstreams ---- */

static unsigned minute_of(const char *text)
{
    int hours = two_digits(text), minutes = two_digits(text + 3);
    return hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || text[2] != ':' ? DAY_MINUTES
                                                                                    : (unsigned)(hours * 60 + minutes);
}

static enum hs_err check_hours(struct checked *checked, struct hs_conf_upstream *upstream)
{
    const char *text = upstream->limited_hours;
    if (text[0] == '\0')
        return HS_OK;
    upstream->limited_from = minute_of(text);
    upstream->limited_to = text[5] == '-' ? minute_of(text + 6) : DAY_MINUTES;
    if (upstream->limited_from == DAY_MINUTES || upstream->limited_to == DAY_MINUTES)
        return complain(checked, text, 1, "upstreams: limited_hours '%s' does not look like 08:00-18:00", text);
    if (upstream->limited_from == upstream->limited_to)
        return complain(checked, text, 1, "upstreams: limited_hours '%s' ends when it begins; leave it out for always",
                        text);
    if (upstream->bytes_per_second == 0)
        return complain(checked, text, 1, "upstreams: limited_hours '%s' of %s without bytes_per_second", text,
                        upstream->address);
    return HS_OK;
}

static bool is_name(const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *text) == NULL)
            return false;
    }
    return true;
}

static enum hs_err check_upstream(struct checked *checked, struct hs_conf_upstream *upstream)
{
    uint8_t key[KEY_BYTES];
    uint32_t rate = upstream->bytes_per_second;
    if (hs_text_from_hex(upstream->key, strlen(upstream->key), key, sizeof key) != HS_OK)
        return complain(checked, upstream->key, 1, "upstreams: the key of %s is not 64 hex digits", upstream->address);
    if (!is_name(upstream->group))
        return complain(checked, upstream->group, 1, "upstreams: group '%s' is not made of a-z, 0-9 and -",
                        upstream->group);
    if (rate != 0 && (rate < RATE_MIN || rate > RATE_MAX))
        return complain(checked, "bytes_per_second", 1, "upstreams: bytes_per_second: %u is not between %d and %d",
                        rate, RATE_MIN, RATE_MAX);
    return check_hours(checked, upstream);
}

/* Whether entry @at fits those before it. */
static enum hs_err check_pair(struct checked *checked, const struct hs_conf_upstream *before,
                              const struct hs_conf_upstream *at)
{
    if (strcasecmp(before->address, at->address) == 0)
        return complain(checked, at->address, 2, "upstreams: %s is there twice", at->address);
    if (strcasecmp(before->key, at->key) == 0 && before->group_number != at->group_number)
        return complain(
            checked, at->key, 2,
            "upstreams: %s (group %s) and %s (group %s) have one key and so are one node; a node is dialled "
            "in one group",
            before->address, before->group, at->address, at->group);
    return HS_OK;
}

static enum hs_err number_group(struct checked *checked, unsigned i)
{
    struct hs_conf *conf = checked->conf;
    struct hs_conf_upstream *upstream = &conf->upstreams[i];
    upstream->group_number = 0;
    for (unsigned k = 0; k < i; k++) {
        if (strcmp(conf->upstreams[k].group, upstream->group) == 0) {
            upstream->group_number = conf->upstreams[k].group_number;
            return HS_OK;
        }
        if (conf->upstreams[k].group_number >= upstream->group_number)
            upstream->group_number = conf->upstreams[k].group_number + 1;
    }
    if (upstream->group_number >= HS_CONF_GROUPS_MAX)
        return complain(checked, upstream->group, 1, "upstreams: more than %d groups", HS_CONF_GROUPS_MAX);
    return HS_OK;
}

static enum hs_err check_own_address(struct checked *checked, const struct hs_conf_upstream *upstream)
{
    const struct hs_conf_listen *listen = &checked->conf->listen;
    bool own = false;
    for (unsigned i = 0; i < listen->peers_count; i++)
        own = own || strcasecmp(listen->peers[i], upstream->address) == 0;
    for (unsigned i = 0; i < listen->advertise_count; i++)
        own = own || strcasecmp(listen->advertise[i], upstream->address) == 0;
    return own ? complain(checked, upstream->address, 2, "upstreams: %s is where this node itself listens",
                          upstream->address)
               : HS_OK;
}

static enum hs_err check_upstreams(struct checked *checked)
{
    struct hs_conf *conf = checked->conf;
    enum hs_err err = HS_OK;
    for (unsigned i = 0; i < conf->upstreams_count && err == HS_OK; i++) {
        err = check_upstream(checked, &conf->upstreams[i]);
        if (err == HS_OK)
            err = number_group(checked, i);
        if (err == HS_OK)
            err = check_own_address(checked, &conf->upstreams[i]);
        for (unsigned k = 0; k < i && err == HS_OK; k++)
            err = check_pair(checked, &conf->upstreams[k], &conf->upstreams[i]);
    }
    return err;
}

/* ---- scope ---- */

static int compare_districts(const void *a, const void *b)
{
    return *(const hs_partition *)a - *(const hs_partition *)b;
}

static enum hs_err check_scope(struct checked *checked)
{
    struct hs_conf *conf = checked->conf;
    const struct hs_conf_scope *scope = &conf->scope;
    if (scope->districts_count != 0 && strcmp(conf->node.role, "witness") == 0)
        return complain(checked, "districts", 1, "scope.districts: a witness holds no district; leave it out");
    conf->district_count = 0;
    for (unsigned i = 0; i < scope->districts_count; i++) {
        hs_partition *district = &conf->districts[conf->district_count++];
        if (hs_partition_parse(scope->districts[i], district) != HS_OK || *district == HS_PARTITION_REGION)
            return complain(checked, scope->districts[i], 1, "scope.districts: '%s' is no district of four digits",
                            scope->districts[i]);
        for (unsigned k = 0; k < i; k++) {
            if (conf->districts[k] == *district)
                return complain(checked, scope->districts[i], 2, "scope.districts: %s is there twice",
                                scope->districts[i]);
        }
    }
    qsort(conf->districts, conf->district_count, sizeof *conf->districts, compare_districts);
    return HS_OK;
}

/* ---- all of it ---- */

enum hs_err hs_conf_check(struct hs_conf *conf, const char *path, struct hs_why *why)
{
    struct checked checked = {conf, path, why};
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
    if (err == HS_OK && strcmp(conf->node.role, "witness") == 0 && conf->listen.peers_count == 0)
        err = hs_fail(HS_ECONFIG, why, "listen.peers: a witness listens for the halls that it keeps a tail of");
    if (err == HS_OK)
        err = check_scope(&checked);
    if (err == HS_OK)
        err = check_backup(&checked);
    if (err == HS_OK)
        err = check_admin(&checked);
    if (err == HS_OK)
        err = check_hook(&checked);
    return err == HS_OK ? check_upstreams(&checked) : err;
}

uint32_t hs_conf_rate(const struct hs_conf_upstream *upstream, unsigned minute)
{
    unsigned from = upstream->limited_from, to = upstream->limited_to;
    bool within = from == to || (from < to ? minute >= from && minute < to : minute >= from || minute < to);
    return within ? upstream->bytes_per_second : 0;
}

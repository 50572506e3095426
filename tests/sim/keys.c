/* keys.c -- what init and join leave behind: keys, certificate, configuration, an empty store. */
#include "tests/sim/inside.h"

#include "node/link/keys.h"
#include "proto/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(struct sim *sim, enum hs_err err, const char *what, const struct hs_why *why)
{
    if (err != HS_OK)
        sim_fail(sim, "%s: %s: %s", what, hs_err_name(err), why->text);
}

static void certify(struct sim_machine *machine, struct hs_certificate *draft)
{
    struct sim *sim = machine->sim;
    struct hs_keys own = {0}, hub = {0};
    struct hs_buf certificate = {0};
    struct hs_why why = {{0}};
    check(sim, hs_keys_make_hall(machine->dir, &own, &why), "keys of a node", &why);
    check(sim, hs_keys_load(sim->machines[0]->dir, &hub, &why), "keys of the first hub", &why);
    draft->node_key = own.node_key;
    draft->curve_key = own.curve_key;
    check(sim, hs_certificate_sign(draft, hs_buf_bytes(&hub.issuer_signed), hub.issuer, &certificate), "certificate",
          &why);
    check(sim,
          hs_keys_save_certificate(machine->dir, hs_buf_bytes(&certificate), hs_buf_bytes(&hub.certificate),
                                   &hub.root_key, &why),
          "certificate of a node", &why);
    hs_buf_fini(&certificate);
    hs_keys_free(&own);
    hs_keys_free(&hub);
}

/* A store that is made later, in the place of a lost one, is young. */
static uint64_t made_ms(void *ctx)
{
    const struct sim *sim = ctx;
    return SIM_EPOCH_MS + sim->now_ms - (sim->turns == 0 ? sim->options.age_ms : 0);
}

/* An empty store, as init and join make it; the certificate is remembered beside it. */
void sim_make_keys(struct sim_machine *machine, struct hs_certificate *draft)
{
    struct sim *sim = machine->sim;
    struct hs_keys keys = {0};
    struct hs_why why = {{0}};
    if (draft != NULL && machine->index == 0) {
        struct hs_keys_draft first = {"sim", machine->node_id, draft->home, SIM_EPOCH_MS};
        check(sim, hs_keys_make_hub(machine->dir, &first, &why), "keys of the first hub", &why);
    } else if (draft != NULL) {
        certify(machine, draft);
    }
    check(sim, hs_keys_load(machine->dir, &keys, &why), "keys", &why);
    check(sim, hs_certificate_verify(hs_buf_bytes(&keys.certificate), &keys.root_key, &machine->certificate),
          "certificate", &why);
    struct hs_store_options options = {
        .dir = machine->dir,
        .certificate = hs_buf_bytes(&keys.certificate),
        .signer = hs_signer_of(keys.node),
        .create = true,
        .note_dir = machine->notes,
        .now_ms = made_ms,
        .ctx = sim,
    };
    struct hs_store *store = NULL;
    check(sim, hs_store_open(&options, &store, &why), "an empty store", &why);
    hs_store_close(store);
    hs_keys_free(&keys);
}

static void put_upstreams(const struct sim_upstream *upstreams, size_t count, struct hs_buf *text)
{
    if (count == 0)
        return;
    hs_buf_put_format(text, "upstreams:\n");
    for (size_t i = 0; i < count; i++) {
        const struct hs_key *key = &upstreams[i].machine->certificate.curve_key;
        char hex[2 * HS_KEY_BYTES + 1];
        hs_text_to_hex(HS_BYTES(key->bytes, HS_KEY_BYTES), hex);
        hs_buf_put_format(text, "  - address: %s\n    key: \"%s\"\n", upstreams[i].machine->address, hex);
        if (upstreams[i].group != NULL)
            hs_buf_put_format(text, "    group: %s\n", upstreams[i].group);
    }
}

static void put_scope(const struct sim_machine *machine, struct hs_buf *text)
{
    for (size_t i = 0; i < machine->scope_count; i++)
        hs_buf_put_format(text, "%s\"%04u\"%s", i == 0 ? "scope:\n  districts: [" : ", ", (unsigned)machine->scope[i],
                          i + 1 == machine->scope_count ? "]\n" : "");
}

void sim_make_conf(struct sim_machine *machine, const struct sim_upstream *upstreams, size_t count)
{
    const struct sim_options *options = &machine->sim->options;
    struct hs_buf text = {0};
    struct hs_why why = {{0}};
    char path[SIM_PATH_BYTES];
    hs_buf_put_format(&text, "node:\n  id: %s\n  role: %s\n  data: %s\n", machine->node_id, hs_role_text(machine->role),
                      machine->dir);
    if (machine->role != HS_ROLE_HALL)
        hs_buf_put_format(&text, "listen:\n  peers: [\"%s\"]\n", machine->address);
    hs_buf_put_format(&text, "rules:\n  unknown_accounts: %s\n  escalate_overdue: %s\n",
                      options->accept_unknown_accounts ? "accept" : "refuse", options->escalate_overdue ? "yes" : "no");
    hs_buf_put_format(&text, "limits:\n  credit_kib: %u\nlink:\n  heartbeat_ms: %u\n",
                      options->credit_kib == 0 ? 512 : options->credit_kib,
                      options->heartbeat_ms == 0 ? 2000 : options->heartbeat_ms);
    put_scope(machine, &text);
    put_upstreams(upstreams, count, &text);
    sim_path(path, machine->dir, "hallsync.yaml");
    check(machine->sim, text.err, "configuration", &why);
    check(machine->sim, hs_file_write(path, hs_buf_bytes(&text), 0600, &why), "configuration", &why);
    check(machine->sim, hs_conf_load(path, &machine->conf, &why), "configuration", &why);
    machine->conf_loaded = true;
    hs_buf_fini(&text);
}

/* revoke.c -- what a person does at a hub about a key that is not its node's any more. */
#include "tests/sim/sim.h"

#include "node/link/keys.h"
#include "proto/local.pb-c.h"
#include "proto/msg/revoke.h"
#include "tests/sim/deed.h"

#include <stdio.h>
#include <string.h>

static bool ask(struct sim_machine *hub, Hallsync__Request *request)
{
    struct hs_buf bytes = {0}, answer = {0};
    uint8_t id[16];
    for (size_t i = 0; i < sizeof id; i += 8)
        hs_be64(id + i, sim_draw(&hub->sim->entropy));
    deed_look(id, request, &bytes);
    bool answered = sim_ask_now(hub, hs_buf_bytes(&bytes), &answer);
    Hallsync__Reply *reply = answered ? hallsync__reply__unpack(NULL, answer.size, answer.data) : NULL;
    bool done = reply != NULL && reply->error == NULL;
    if (reply != NULL)
        hallsync__reply__free_unpacked(reply, NULL);
    hs_buf_fini(&bytes);
    hs_buf_fini(&answer);
    return done;
}

/* The region's root key lies where the first hub was made. */
static void sign_by_root(const struct sim_machine *machine, struct hs_buf *row)
{
    struct hs_keys keys = {0};
    struct hs_secret *root = NULL;
    struct hs_why why = {{0}};
    char path[SIM_PATH_BYTES];
    snprintf(path, sizeof path, "%.*s/keys/root.key", SIM_PATH_BYTES - 20, machine->sim->machines[0]->dir);
    enum hs_err err = hs_root_load(path, &root, &why);
    if (err == HS_OK)
        err = hs_keys_load(machine->dir, &keys, &why);
    if (err == HS_OK) {
        struct hs_authority authority = {HS_BYTES_NONE, root};
        err = hs_revocation_sign(hs_buf_bytes(&keys.certificate), "stolen", machine->sim->now_ms, &authority, row);
    }
    if (err != HS_OK)
        sim_fail(machine->sim, "the root key does not sign: %s", why.text);
    hs_keys_free(&keys);
    hs_root_free(root);
}

bool sim_revoke(struct sim_machine *hub, const struct sim_machine *machine, bool by_root)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__RevokeRequest revoke = HALLSYNC__REVOKE_REQUEST__INIT;
    struct hs_buf row = {0};
    if (by_root)
        sign_by_root(machine, &row);
    revoke.node_id = (char *)(uintptr_t)machine->node_id;
    revoke.reason = (char *)(uintptr_t) "stolen";
    revoke.has_revocation = by_root;
    revoke.revocation = (ProtobufCBinaryData){row.size, row.data};
    request.body_case = HALLSYNC__REQUEST__BODY_REVOKE;
    request.revoke = &revoke;
    bool done = ask(hub, &request);
    hs_buf_fini(&row);
    return done;
}

bool sim_release(struct sim_machine *hub, const struct sim_machine *machine)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__ReleaseRequest release = HALLSYNC__RELEASE_REQUEST__INIT;
    release.node_id = (char *)(uintptr_t)machine->node_id;
    release.reason = (char *)(uintptr_t) "counted";
    release.name = (char *)(uintptr_t) "Wang Li";
    request.body_case = HALLSYNC__REQUEST__BODY_RELEASE;
    request.release = &release;
    return ask(hub, &request);
}

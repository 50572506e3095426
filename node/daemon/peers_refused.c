/* Who knocks and is not let in: kept so that somebody who asks why a hall is away can be told. */
#include "node/daemon/peers_private.h"

#include "proto/base/text.h"
#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_REFUSED = 77 }; /* of StatusReply */

/* Without the port, which is another one each time. */
static size_t host_size(const char *address)
{
    const char *port = strrchr(address, ':');
    return port != NULL ? (size_t)(port - address) : strlen(address);
}

static bool is_same(const struct refused *row, enum hs_reason reason, const struct hs_key *key, const char *address)
{
    if (row->reason != reason || row->has_key != (key != NULL))
        return false;
    if (key != NULL)
        return hs_key_equal(&row->key, key);
    return host_size(row->address) == host_size(address) && strncmp(row->address, address, host_size(address)) == 0;
}

/* Its place, at the end: moved there, or that of the oldest if there is no room. */
static struct refused *take_last(struct hs_peers *peers, size_t at)
{
    struct refused row = {0};
    if (at < peers->refused_count)
        row = peers->refused[at];
    else if (peers->refused_count < REFUSED_MAX)
        at = peers->refused_count++;
    else
        at = 0;
    memmove(&peers->refused[at], &peers->refused[at + 1], (peers->refused_count - 1 - at) * sizeof row);
    peers->refused[peers->refused_count - 1] = row;
    return &peers->refused[peers->refused_count - 1];
}

void peers_refused_note(struct hs_peers *peers, enum hs_reason reason, const struct hs_key *key, const char *node_id,
                        const char *address, const char *text)
{
    size_t at = 0;
    while (at < peers->refused_count && !is_same(&peers->refused[at], reason, key, address))
        at++;
    struct refused *row = take_last(peers, at);
    row->reason = reason;
    row->has_key = key != NULL;
    if (key != NULL)
        row->key = *key;
    snprintf(row->node_id, sizeof row->node_id, "%s", node_id != NULL ? node_id : "");
    snprintf(row->address, sizeof row->address, "%s", address);
    snprintf(row->text, sizeof row->text, "%s", text);
    row->count++;
    row->last_ms = hs_link_now_ms();
}

/* That a line is gone is no refusal. */
static bool is_refusal(const struct hs_replica_update *update)
{
    switch (update->reason) {
    case HS_REASON_CLOSED:
    case HS_REASON_SILENT:
    case HS_REASON_REPLACED:
    case HS_REASON_TWIN:
        return false;
    default:
        return true;
    }
}

void peers_refused_ended(struct hs_peers *peers, const struct hs_replica_update *update, const char *address)
{
    if (peers_upstream_of(peers, update->peer) != NULL)
        peers_upstream_ended(peers, update);
    else if (is_refusal(update))
        peers_refused_note(peers, update->reason, &update->curve_key, update->node_id, address,
                           update->text != NULL ? update->text : "");
}

static void put_row(const struct refused *row, struct hs_buf *buf)
{
    Hallsync__RefusedStatus status = HALLSYNC__REFUSED_STATUS__INIT;
    char key[2 * HS_KEY_BYTES + 1];
    struct hs_buf inner = {0};
    hs_text_to_hex(HS_BYTES(row->key.bytes, HS_KEY_BYTES), key);
    status.key = row->has_key ? key : NULL;
    status.address = row->address[0] != '\0' ? (char *)row->address : NULL;
    status.node_id = row->node_id[0] != '\0' ? (char *)row->node_id : NULL;
    status.why = (char *)hs_reason_text(row->reason);
    status.text = row->text[0] != '\0' ? (char *)row->text : NULL;
    status.count = row->count;
    status.last_ms = peers_wall_ms(row->last_ms);
    hs_msg_pack(&status.base, &inner);
    hs_tlv_put_bytes(buf, STATUS_REFUSED, hs_buf_bytes(&inner));
    hs_buf_fini(&inner);
}

void peers_refused_put(const struct hs_peers *peers, struct hs_buf *buf)
{
    for (size_t i = peers->refused_count; i > 0; i--)
        put_row(&peers->refused[i - 1], buf);
}

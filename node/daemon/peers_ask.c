/* Questions of this node's clients about records that are not here, on their way to the replica. */
#include "node/daemon/peers_private.h"

#include <string.h>

enum hs_err hs_peers_ask(struct hs_peers *peers, uint64_t token, const struct hs_ask *ask)
{
    struct note *note = peers_note_new(NOTE_ASK);
    if (note == NULL)
        return HS_ENOMEM;
    note->token = token;
    note->ask = *ask;
    hs_buf_put_bytes(&note->frame, ask->key);
    hs_buf_put_bytes(&note->frame, ask->after);
    if (note->frame.err != HS_OK) {
        peers_note_free(note);
        return HS_ENOMEM;
    }
    note->ask.key = HS_BYTES(note->frame.data, ask->key.size);
    note->ask.after = HS_BYTES(note->frame.data + ask->key.size, ask->after.size);
    peers_note_post(peers, note);
    return HS_OK;
}

enum hs_err hs_peers_ask_node(struct hs_peers *peers, uint64_t token, const char *node_id, struct hs_bytes record)
{
    struct note *note = peers_note_new(NOTE_ASK_NODE);
    if (note == NULL)
        return HS_ENOMEM;
    note->token = token;
    note->record_at = strlen(node_id) + 1;
    hs_buf_put(&note->frame, node_id, note->record_at);
    hs_buf_put_bytes(&note->frame, record);
    if (note->frame.err != HS_OK) {
        peers_note_free(note);
        return HS_ENOMEM;
    }
    peers_note_post(peers, note);
    return HS_OK;
}

void hs_peers_ask_end(struct hs_peers *peers, uint64_t token)
{
    struct note *note = peers_note_new(NOTE_ASK_END);
    if (note == NULL)
        return; /* its answer will find nobody */
    note->token = token;
    peers_note_post(peers, note);
}

#include "node/daemon/peers_private.h"

#include <stdlib.h>
#include <string.h>

struct note *peers_note_new(enum note_type type)
{
    struct note *note = calloc(1, sizeof *note);
    if (note != NULL)
        note->type = type;
    return note;
}

void peers_note_free(struct note *note)
{
    if (note == NULL)
        return;
    free((void *)note->commit.heads);
    free((void *)note->commit.receipts);
    hs_buf_fini(&note->frame);
    free(note);
}

void peers_note_post(struct hs_peers *peers, struct note *note)
{
    note->next = NULL;
    pthread_mutex_lock(&peers->notes_lock);
    *peers->notes_end = note;
    peers->notes_end = &note->next;
    pthread_mutex_unlock(&peers->notes_lock);
    hs_link_wake(peers->link);
}

struct note *peers_notes_take(struct hs_peers *peers)
{
    pthread_mutex_lock(&peers->notes_lock);
    struct note *notes = peers->notes;
    peers->notes = NULL;
    peers->notes_end = &peers->notes;
    pthread_mutex_unlock(&peers->notes_lock);
    return notes;
}

static void *copy_array(const void *from, size_t count, size_t size)
{
    void *copy = malloc(count * size);
    if (copy != NULL)
        memcpy(copy, from, count * size);
    return copy;
}

enum hs_err peers_note_commit(struct note *note, const struct hs_commit *commit)
{
    note->commit = (struct hs_commit){
        .position = commit->position, .is_revoking = commit->is_revoking, .stores = commit->stores};
    if (commit->head_count != 0) {
        note->commit.heads = copy_array(commit->heads, commit->head_count, sizeof *commit->heads);
        if (note->commit.heads == NULL)
            return HS_ENOMEM;
        note->commit.head_count = commit->head_count;
    }
    if (commit->receipt_count != 0) {
        note->commit.receipts = copy_array(commit->receipts, commit->receipt_count, sizeof *commit->receipts);
        if (note->commit.receipts == NULL)
            return HS_ENOMEM;
        note->commit.receipt_count = commit->receipt_count;
    }
    return HS_OK;
}

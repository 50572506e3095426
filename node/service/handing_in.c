/* Money of closed days, given to the bank: the slip names the closes whose money it is. */
#include "node/service/put.h"

#include "proto/records.pb-c.h"
#include "storage/books.h"

#include <string.h>

enum { HANDED_CLOSES = 7, HANDED_HALL = 9 };

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

/* Closes of this very hall. */
static enum hs_err check_close(struct hs_work *work, const char *close_id)
{
    struct hs_stored stored;
    struct hs_closed closed;
    const char *node = hs_store_certificate(work->store)->node_id;
    enum hs_err err = hs_view_find(work->view, HS_KIND_CLOSE, bytes_of(close_id), &stored);
    if (err == HS_OK)
        err = hs_closed_read(work->view, &stored, work->scratch, &closed);
    if (err == HS_OK && !hs_bytes_equal(closed.node, bytes_of(node)))
        err = HS_ENOTFOUND;
    if (err == HS_ENOTFOUND)
        return hs_refuse(&work->refusal, err, HANDED_CLOSES, "closes: %s has made no close %s", node, close_id);
    return err;
}

enum hs_err hs_handing_write(struct hs_work *work, const struct hs_item *item)
{
    Hallsync__HandingIn handed = *(const Hallsync__HandingIn *)item->parsed;
    const struct hs_certificate *own = hs_store_certificate(work->store);
    if (handed.hall != NULL && strcmp(handed.hall, own->node_id) != 0)
        return hs_refuse(&work->refusal, HS_EVALUE, HANDED_HALL, "hall: this is %s", own->node_id);
    handed.hall = (char *)(uintptr_t)own->node_id; /* only read */
    struct hs_item whole = *item;
    whole.message = hs_canonical(&handed.base, work->scratch);
    if (whole.message.data == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_fact_known(work, item, whole.message);
    if (err != HS_ENOTFOUND)
        return err;
    err = HS_OK;
    for (size_t i = 0; i < handed.n_closes && err == HS_OK; i++)
        err = check_close(work, handed.closes[i]->close_id);
    return err == HS_OK ? hs_fact_write(work, &whole) : err;
}

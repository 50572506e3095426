/* What a counter may ask, where it has a socket of its own: to write, and to look up a customer by a number that he
 * brings.  Lists of people, imports and exports are an operator's. */
#include "node/service/handlers.h"
#include "storage/model/kinds.h"

static enum hs_err check_put(struct hs_call *call)
{
    const Hallsync__PutRequest *put = call->request->put;
    for (size_t i = 0; i < put->n_records; i++) {
        if (put->records[i]->source != NULL)
            return hs_fail(HS_EOPERATOR, &call->why, "an import is an operator's: ask at the socket listen.clients");
    }
    return HS_OK;
}

static enum hs_err check_find(struct hs_call *call)
{
    const Hallsync__FindRequest *find = call->request->find;
    const struct hs_kind *kind = hs_kind_by_number(find->kind);
    bool by_index = find->index != NULL && find->index[0] != '\0';
    if (kind == NULL || hs_kind_open(kind, by_index ? hs_kind_index(kind, find->index) : NULL))
        return HS_OK;
    return hs_fail(HS_EOPERATOR, &call->why,
                   "a %s is looked up at a counter by a number that the customer brings; all of them, or by %s, at the "
                   "socket listen.clients",
                   kind->name, by_index ? find->index : "nothing");
}

static enum hs_err check_watch(struct hs_call *call)
{
    const Hallsync__WatchRequest *watch = call->request->watch;
    bool open = watch->n_kinds > 0;
    for (size_t i = 0; i < watch->n_kinds; i++) {
        const struct hs_kind *kind = hs_kind_by_number(watch->kinds[i]);
        open = open && kind != NULL && !kind->personal;
    }
    return open ? HS_OK
                : hs_fail(HS_EOPERATOR, &call->why,
                          "a counter watches kinds that are about no customer, and names them; all others at the "
                          "socket listen.clients");
}

enum hs_err hs_counter_check(struct hs_call *call)
{
    if (!call->row->counter)
        return hs_fail(HS_EOPERATOR, &call->why, "%s: an operator's, at the socket listen.clients", call->row->name);
    switch (call->request->body_case) {
    case HALLSYNC__REQUEST__BODY_PUT:
        return check_put(call);
    case HALLSYNC__REQUEST__BODY_FIND:
        return check_find(call);
    case HALLSYNC__REQUEST__BODY_WATCH:
        return check_watch(call);
    default:
        return HS_OK;
    }
}

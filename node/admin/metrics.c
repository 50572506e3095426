/* /metrics: the last status as Prometheus text. */
#include "node/admin/handlers.h"
#include "node/status/metrics.h"

void admin_get_metrics(struct admin_request *request)
{
    struct hs_buf text = {0};
    const struct admin_status *status = admin_status_hold(request->admin);
    bool answers = admin_node_answers(request->admin);
    hs_buf_put_format(&text,
                      "# HELP hallsync_node_answers 1: the node answers; 0: it is gone, and nothing else is told.\n"
                      "# TYPE hallsync_node_answers gauge\nhallsync_node_answers %d\n",
                      answers ? 1 : 0);
    if (status != NULL && answers && hs_metrics_put(status->reply, &text) != HS_OK)
        text.err = HS_ENOMEM;
    admin_status_release(status);
    admin_answer_text(request, HS_METRICS_TYPE, &text);
}

/* counter ENDPOINT OUTBOX: take payments at a counter, with libhallsync, and keep them until a hub has them.
 *
 *     cc counter.c $(pkg-config --cflags --libs hallsync) -o counter
 *     echo 3201000001 12345 W3-20261122-0001 | ./counter ipc:///var/lib/hallsync/hallsync.sock ~/outbox
 *
 * Each line of standard input is a payment, ACCOUNT FEN PAYMENT_ID [WINDOW]; for each one line says what became of it,
 * and another one whenever the outbox has changed.  At the end of the input it stays until the outbox is empty. */
#include <hallsync.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDLE_MS      200 /* how often the outbox is worked at while nobody is served */
#define WORK_MAX     50
#define LINE_MAX_LEN 200

struct counter {
    struct hallsync *node;
    struct hallsync_outbox *outbox;
    struct hallsync_outbox_state told; /* what was said of it last */
    char line[LINE_MAX_LEN];
    size_t used;
};

/* The answer is known, or it is not and the outbox goes on with it: the same payment is never to be entered under
 * another id. */
static void pay(struct counter *counter, char *account, int64_t fen, char *payment_id, unsigned window)
{
    const Hallsync__PutResult *result;
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.payment_id = payment_id;
    payment.has_window = window > 0;
    payment.window = window;
    payment.account = account;
    payment.has_amount_fen = 1;
    payment.amount_fen = fen;
    switch (hallsync_outbox_put(counter->outbox, HALLSYNC_KIND_PAYMENT, &payment.base, &result)) {
    case HALLSYNC_OK:
        printf("%s taken, receipt %s\n", payment_id, result->receipt != NULL ? result->receipt : "-");
        break;
    case HALLSYNC_REFUSED:
        printf("%s refused, %s\n", payment_id, hallsync_error(counter->node));
        break;
    case HALLSYNC_SYSTEM: /* it cannot be kept, and was not sent: a full disk, a bad endpoint */
        printf("%s not sent, %s\n", payment_id, hallsync_error(counter->node));
        break;
    default:
        printf("%s not known yet, %s\n", payment_id, hallsync_error(counter->node));
    }
}

static void take_line(struct counter *counter)
{
    char account[32], payment_id[80];
    long long fen;
    unsigned window = 0;
    if (sscanf(counter->line, "%31s %lld %79s %u", account, &fen, payment_id, &window) >= 3)
        pay(counter, account, fen, payment_id, window);
    else
        printf("? ACCOUNT FEN PAYMENT_ID [WINDOW]\n");
}

/* False: the input has ended. */
static int read_lines(struct counter *counter)
{
    char byte;
    ssize_t got = read(STDIN_FILENO, &byte, 1);
    if (got <= 0)
        return 0;
    if (byte != '\n' && counter->used < sizeof counter->line - 1) {
        counter->line[counter->used++] = byte;
    } else if (byte == '\n') {
        counter->line[counter->used] = '\0';
        counter->used = 0;
        take_line(counter);
    }
    return 1;
}

static void tell(struct counter *counter)
{
    struct hallsync_outbox_state now;
    hallsync_outbox_state(counter->outbox, &now);
    if (now.waiting != counter->told.waiting || now.again != counter->told.again ||
        now.refused != counter->told.refused)
        printf("outbox: %zu waiting, %zu unanswered, %zu refused, %llu done anew\n", now.waiting, now.unanswered,
               now.refused, (unsigned long long)now.again);
    counter->told = now;
    fflush(stdout);
}

static void serve(struct counter *counter)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int open = 1;
    tell(counter);
    while (open || counter->told.waiting > 0) {
        if (poll(&input, open ? 1 : 0, IDLE_MS) > 0)
            open = read_lines(counter);
        else
            hallsync_outbox_work(counter->outbox, WORK_MAX); /* what it cannot do now, it does later */
        tell(counter);
    }
}

int main(int argc, char **argv)
{
    struct counter counter = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: %s ENDPOINT OUTBOX\n", argv[0]);
        return 2;
    }
    counter.node = hallsync_open(argv[1]);
    if (counter.node == NULL) {
        perror("hallsync_open");
        return 3;
    }
    if (hallsync_outbox_open(counter.node, argv[2], &counter.outbox) == HALLSYNC_OK)
        serve(&counter);
    else
        fprintf(stderr, "%s\n", hallsync_error(counter.node));
    int status = counter.outbox != NULL ? 0 : 3;
    hallsync_outbox_close(counter.outbox);
    hallsync_close(counter.node);
    return status;
}

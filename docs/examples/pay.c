/* pay ENDPOINT ACCOUNT FEN PAYMENT_ID: take a payment at the counter, with libhallsync.
 *
 *     cc pay.c $(pkg-config --cflags --libs hallsync) -o pay
 *     ./pay ipc:///var/lib/hallsync/hallsync.sock 3201000001 12345 W3-20261122-0001
 *
 * Exit status: 0 it is on the node's disk; 1 the node refused; 3 not known, run it again with the same PAYMENT_ID. */
#include <hallsync.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DONE = 0, REFUSED = 1, USAGE = 2, UNKNOWN = 3 };

static int failed(const struct hallsync *node, const char *what, enum hallsync_status status)
{
    fprintf(stderr, "%s: %s\n", what, hallsync_error(node));
    return status == HALLSYNC_REFUSED ? REFUSED : UNKNOWN;
}

/* Whom the number belongs to, for the clerk's eyes. */
static int show_customer(struct hallsync *node, const char *account)
{
    const Hallsync__Record *record;
    enum hallsync_status status = hallsync_get(node, HALLSYNC_KIND_CUSTOMER, account, &record);
    if (status != HALLSYNC_OK)
        return failed(node, "customer", status);
    Hallsync__Customer *customer = hallsync__customer__unpack(NULL, record->record.len, record->record.data);
    if (customer == NULL)
        return UNKNOWN;
    printf("%s %s\n", record->id, customer->name != NULL ? customer->name : "");
    hallsync__customer__free_unpacked(customer, NULL);
    return DONE;
}

/* The payment's id is ours and stands on the counter's own record of it, so that whoever asks again, today or after a
 * crash, cannot take the money twice: the second answer is EXISTS. */
static int pay(struct hallsync *node, char *account, int64_t fen, char *payment_id)
{
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.payment_id = payment_id;
    payment.account = account;
    payment.has_amount_fen = 1;
    payment.amount_fen = fen;
    payment.method = (char[]){"cash"};
    payment.has_window = 1;
    payment.window = 3;

    const Hallsync__PutResult *result;
    enum hallsync_status status = hallsync_put(node, HALLSYNC_KIND_PAYMENT, &payment.base, &result);
    if (status != HALLSYNC_OK)
        return failed(node, "payment", status);
    printf("%s receipt %s\n", result->result == HALLSYNC__RESULT__RESULT_CREATED ? "taken," : "taken before,",
           result->receipt != NULL ? result->receipt : "-");
    return DONE;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: %s ENDPOINT ACCOUNT FEN PAYMENT_ID\n", argv[0]);
        return USAGE;
    }
    struct hallsync *node = hallsync_open(argv[1]);
    if (node == NULL) {
        perror("hallsync_open");
        return UNKNOWN;
    }
    int exit_status = show_customer(node, argv[2]);
    if (exit_status == DONE)
        exit_status = pay(node, argv[2], strtoll(argv[3], NULL, 10), argv[4]);
    hallsync_close(node);
    return exit_status;
}

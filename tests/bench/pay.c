/* bench-pay -- clients that pay through libhallsync as fast as they are answered, or at a given rate.
 *
 *   bench-pay ENDPOINT CLIENTS PAYMENTS_EACH ACCOUNTS_FILE [RATE]
 *
 * ACCOUNTS_FILE: a CSV whose first column is the account.  Prints seconds, payments/s and the times of answers. */
#include "node/client/hallsync.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ACCOUNTS_MAX 400000

static char (*accounts)[11];
static size_t account_count;

struct payer {
    pthread_t thread;
    const char *endpoint;
    unsigned number, payments;
    double interval; /* seconds between two payments; 0: none */
    double *took;
    unsigned failed;
};

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void read_accounts(const char *path)
{
    char line[4096];
    FILE *file = fopen(path, "r");
    accounts = calloc(ACCOUNTS_MAX, sizeof *accounts);
    if (file == NULL || accounts == NULL || fgets(line, sizeof line, file) == NULL) {
        perror(path);
        exit(2);
    }
    while (account_count < ACCOUNTS_MAX && fgets(line, sizeof line, file) != NULL)
        snprintf(accounts[account_count++], sizeof accounts[0], "%.10s", line);
    fclose(file);
}

static void pay_once(struct hallsync *client, struct payer *self, unsigned i)
{
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    const Hallsync__PutResult *result = NULL;
    char id[33];
    unsigned char raw[16];
    randombytes_buf(raw, sizeof raw);
    sodium_bin2hex(id, sizeof id, raw, sizeof raw);
    payment.payment_id = id;
    payment.account = accounts[((size_t)i * 7919 + self->number * 104729u) % account_count];
    payment.has_amount_fen = 1;
    payment.amount_fen = 1000 + (i * 37u) % 20000;
    payment.method = (char *)"cash";
    payment.has_window = 1;
    payment.window = self->number % 13 + 1;
    payment.clerk = (char *)"c01";
    if (hallsync_put(client, 3, &payment.base, &result) != HALLSYNC_OK)
        self->failed++;
}

static void *run(void *arg)
{
    struct payer *self = arg;
    struct hallsync *client = hallsync_open(self->endpoint);
    double started = now();
    for (unsigned i = 0; client != NULL && i < self->payments; i++) {
        if (self->interval > 0) {
            double wait = started + i * self->interval - now();
            struct timespec pause = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
            if (wait > 0)
                nanosleep(&pause, NULL);
        }
        double at = now();
        pay_once(client, self, i);
        self->took[i] = now() - at;
    }
    hallsync_close(client);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: bench-pay ENDPOINT CLIENTS PAYMENTS_EACH ACCOUNTS_FILE [RATE]\n");
        return 2;
    }
    unsigned clients = (unsigned)strtoul(argv[2], NULL, 10), payments = (unsigned)strtoul(argv[3], NULL, 10),
             failed = 0;
    double rate = argc > 5 ? strtod(argv[5], NULL) : 0;
    size_t all = (size_t)clients * payments;
    double *took = calloc(all, sizeof *took);
    struct payer *payers = calloc(clients, sizeof *payers);
    if (sodium_init() < 0 || took == NULL || payers == NULL)
        return 1;
    read_accounts(argv[4]);
    double started = now();
    for (unsigned i = 0; i < clients; i++) {
        payers[i] = (struct payer){.endpoint = argv[1],
                                   .number = i,
                                   .payments = payments,
                                   .took = took + (size_t)i * payments,
                                   .interval = rate > 0 ? clients / rate : 0};
        if (pthread_create(&payers[i].thread, NULL, run, &payers[i]) != 0)
            return 1;
    }
    for (unsigned i = 0; i < clients; i++) {
        pthread_join(payers[i].thread, NULL);
        failed += payers[i].failed;
    }
    double seconds = now() - started;
    qsort(took, all, sizeof *took, ascending);
    printf("{\"clients\":%u,\"payments\":%zu,\"failed\":%u,\"seconds\":%.3f,\"per_second\":%.0f,\"p50_ms\":%.3f,\"p99_"
           "ms\":%.3f}\n",
           clients, all, failed, seconds, (double)all / seconds, took[all / 2] * 1e3, took[all * 99 / 100] * 1e3);
    free(took);
    free(payers);
    free(accounts);
    return failed == 0 ? 0 : 1;
}

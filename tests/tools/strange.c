/* hallsync-strange -- a payment such as a newer version, or a broken program, would write: past the service and its
 * rules, into the store of a node that is stopped.
 *
 *   hallsync-strange CONFIG ID ACCOUNT FEN METHOD WINDOW */
#include "node/conf/conf.h"
#include "node/link/keys.h"
#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/store.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PAYMENT_ID = 1, PAYMENT_ACCOUNT, PAYMENT_AMOUNT, PAYMENT_METHOD = 5, PAYMENT_WINDOW };

static enum hs_err put_payment(char **argv, struct hs_id *id, struct hs_buf *fact)
{
    int64_t fen, window;
    bool hashed;
    enum hs_err err = hs_id_from_text(argv[2], strlen(argv[2]), id, &hashed);
    if (err == HS_OK)
        err = hs_text_to_i64(argv[4], strlen(argv[4]), &fen);
    if (err == HS_OK)
        err = hs_text_to_i64(argv[6], strlen(argv[6]), &window);
    if (err == HS_OK && !hs_account_valid(argv[3], strlen(argv[3])))
        err = HS_EACCOUNT;
    if (err != HS_OK)
        return err;
    hs_tlv_put_text(fact, PAYMENT_ID, argv[2]);
    hs_tlv_put_text(fact, PAYMENT_ACCOUNT, argv[3]);
    hs_tlv_put_u64(fact, PAYMENT_AMOUNT, (uint64_t)fen);
    hs_tlv_put_text(fact, PAYMENT_METHOD, argv[5]);
    hs_tlv_put_u64(fact, PAYMENT_WINDOW, (uint64_t)window);
    return fact->err;
}

static enum hs_err write_payment(struct hs_store *store, char **argv, struct hs_why *why)
{
    struct hs_id id;
    struct hs_buf fact = {0};
    struct hs_commit commit;
    struct hs_dot dot;
    hs_stamp stamp;
    enum hs_err err = put_payment(argv, &id, &fact);
    struct hs_write write = {.kind = HS_KIND_PAYMENT,
                             .id = HS_BYTES(id.bytes, sizeof id.bytes),
                             .is_fact = true,
                             .fact = hs_buf_bytes(&fact)};
    struct hs_draft draft = {.partition = err == HS_OK ? hs_account_partition(argv[3]) : 0,
                             .lane = HS_LANE_MONEY,
                             .writes = &write,
                             .write_count = 1};
    if (err == HS_OK)
        err = hs_store_begin(store);
    if (err == HS_OK)
        err = hs_store_write(store, &draft, &dot, &stamp);
    if (err == HS_OK)
        err = hs_store_commit(store, &commit);
    hs_buf_fini(&fact);
    return err == HS_OK ? HS_OK : hs_fail(err, why, "%s", hs_err_text(err));
}

int main(int argc, char **argv)
{
    struct hs_conf conf;
    struct hs_keys keys = {0};
    struct hs_store *store = NULL;
    struct hs_why why = {{0}};
    if (argc != 7 || sodium_init() < 0) {
        fprintf(stderr, "Usage: hallsync-strange CONFIG ID ACCOUNT FEN METHOD WINDOW\n");
        return 2;
    }
    enum hs_err err = hs_conf_load(argv[1], &conf, &why);
    if (err != HS_OK) {
        fprintf(stderr, "hallsync-strange: %s\n", why.text);
        return 2;
    }
    err = hs_keys_load(conf.node.data, &keys, &why);
    struct hs_store_options options = {.dir = conf.node.data,
                                       .certificate = hs_buf_bytes(&keys.certificate),
                                       .districts = conf.districts,
                                       .district_count = conf.district_count,
                                       .utc_offset_minutes = conf.utc_offset_minutes};
    if (err == HS_OK) {
        options.signer = hs_signer_of(keys.node);
        err = hs_store_open(&options, &store, &why);
    }
    if (err == HS_OK)
        err = write_payment(store, argv, &why);
    if (err != HS_OK)
        fprintf(stderr, "hallsync-strange: %s\n", why.text);
    hs_store_close(store);
    hs_keys_free(&keys);
    hs_conf_free(&conf);
    return err == HS_OK ? 0 : 1;
}

/* store_test.c -- storage/store: opening, groups over log and records.  Starts after faults:
 * store_start_test.c; readers: store_thread_test.c. */
#include "tests/unit/store_place.h"

#include "storage/store/inside.h"

static int setup(void **state)
{
    struct place *place = place_begin(state);
    world_open(&place->hall, true);
    return 0;
}

static struct hs_commit commit(struct world_node *node)
{
    struct hs_commit done;
    assert_int_equal(hs_store_commit(node->store, &done), HS_OK);
    return done;
}

static struct hs_dot write_fact(struct world_node *node, const struct world_fact *fact)
{
    struct hs_dot dot;
    assert_int_equal(world_write(node, fact, &dot), HS_OK);
    return dot;
}

static struct hs_stream money_of(uint64_t origin)
{
    return (struct hs_stream){origin, 3201, HS_LANE_MONEY};
}

static bool has_fact(struct hs_view *view, const struct world_node *writer, uint64_t number)
{
    struct hs_id id = world_fact_id(writer, number);
    struct hs_record_name name = {3201, HS_LANE_MONEY, WORLD_KIND_FACT, HS_BYTES(id.bytes, sizeof id.bytes)};
    struct hs_stored stored;
    enum hs_err err = hs_view_record(view, &name, &stored);
    assert_true(err == HS_OK || err == HS_ENOTFOUND);
    return err == HS_OK;
}

/* ---- opening ---- */

static void a_new_store_is_its_owners_alone(void **state)
{
    struct place *place = *state;
    struct stat status;
    assert_int_equal(stat(place->hall.dir, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    world_close(&place->hall);
    assert_int_equal(chmod(place->hall.dir, 0755), 0);
    world_open(&place->hall, false);
    assert_int_equal(stat(place->hall.dir, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void a_store_knows_whose_it_is(void **state)
{
    struct place *place = *state;
    uint64_t id = hs_store_id(place->hall.store);
    assert_string_equal(hs_store_certificate(place->hall.store)->node_id, "nj-hall");
    assert_true(hs_store_holds(place->hall.store, 3201));
    assert_false(hs_store_holds(place->hall.store, 3202));
    assert_null(hs_store_break(place->hall.store));
    world_reopen(&place->hall);
    assert_true(hs_store_id(place->hall.store) == id);
}

static void expect_open(struct world_node *node, bool create, enum hs_err wanted, const char *said)
{
    struct hs_why why = {{0}};
    struct hs_store *store = NULL;
    node->options.create = create;
    assert_int_equal(hs_store_open(&node->options, &store, &why), wanted);
    assert_null(store);
    if (strstr(why.text, said) == NULL)
        fail_msg("no word of '%s' in: %s", said, why.text);
}

static void what_cannot_be_opened_is_refused_with_a_reason(void **state)
{
    struct place *place = *state;
    char pid[32];
    char path[WORLD_PATH_BYTES];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    expect_open(&place->hall, false, HS_ELOCKED, pid);
    expect_open(&place->hub, false, HS_ENOSTORE, "hallsync init");
    assert_int_equal(mkdir(place->hub.dir, 0700), 0);
    expect_open(&place->hub, false, HS_ENOSTORE, place->hub.dir);
    world_path(path, place->hub.dir, "lock");
    assert_int_equal(access(path, F_OK), -1); /* nothing was left in a directory that is no store */
    world_close(&place->hall);
    expect_open(&place->hall, true, HS_EEXISTS, place->hall.dir);
    place->hub.options.dir = place->hall.dir;
    expect_open(&place->hub, false, HS_EFOREIGN, "nj-hall");
    place->hub.options.dir = "/proc/nowhere/at/all";
    expect_open(&place->hub, true, HS_ENOSTORE, "/proc/nowhere");
}

static void network_file_systems_are_known_by_their_numbers(void **state)
{
    (void)state;
    assert_string_equal(store_network_fs(0x6969), "NFS");
    assert_string_equal(store_network_fs((long)0xff534d42), "CIFS");
    assert_string_equal(store_network_fs((long)(int)0xff534d42), "CIFS"); /* where f_type is 32 bits wide */
    assert_string_equal(store_network_fs(0x65735546), "FUSE");
    assert_null(store_network_fs(0xef53));     /* ext4 */
    assert_null(store_network_fs(0x01021994)); /* tmpfs */
}

/* ---- groups ---- */

static void a_write_is_seen_by_the_writer_then_by_all(void **state)
{
    struct place *place = *state;
    struct world_fact fact = world_money(1);
    struct hs_head head;
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    struct hs_dot dot = write_fact(&place->hall, &fact);
    struct hs_stream stream = money_of(dot.origin);
    struct hs_view *own = hs_store_view(place->hall.store);
    assert_true(has_fact(own, &place->hall, 1));
    assert_int_equal(hs_view_head(own, &stream, &head), HS_OK);
    assert_int_equal(head.n, 1);
    assert_true(hs_view_current_origin(own) == dot.origin);
    struct hs_commit done = commit(&place->hall);
    assert_int_equal(done.head_count, 1);
    assert_true(hs_hash_equal(&done.heads[0].hash, &head.hash));
    assert_int_equal(hs_store_unflushed(place->hall.store), 1);

    struct hs_view *view = NULL;
    assert_int_equal(hs_view_open(place->hall.store, 0, 0, &view), HS_OK);
    assert_false(has_fact(view, &place->hall, 1)); /* committed in the log, in the records not yet */
    assert_true(hs_view_position(view).commit < done.position.commit);
    hs_view_close(view);
    assert_int_equal(hs_view_open(place->hall.store, done.position.commit, 0, &view), HS_ETIMEDOUT);
    assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
    assert_int_equal(hs_store_unflushed(place->hall.store), 0);
    assert_int_equal(hs_view_open(place->hall.store, done.position.commit, 0, &view), HS_OK);
    assert_true(has_fact(view, &place->hall, 1));
    assert_true(hs_view_position(view).tag == done.position.tag);
    hs_view_close(view);
}

static void a_draft_over_a_limit_changes_nothing(void **state)
{
    struct place *place = *state;
    static uint8_t big[HS_OP_BYTES_MAX];
    struct hs_dot dot;
    struct world_fact fact = world_money(1);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    fact.bytes = HS_BYTES(big, sizeof big);
    assert_int_equal(world_write(&place->hall, &fact, &dot), HS_ETOOBIG);
    fact = world_money(1);
    fact.partition = 12345;
    assert_int_equal(world_write(&place->hall, &fact, &dot), HS_EINVAL);
    fact = world_money(1);
    fact.lane = 9;
    assert_int_equal(world_write(&place->hall, &fact, &dot), HS_EINVAL);
    fact = world_money(1);
    assert_int_equal(write_fact(&place->hall, &fact).n, 1);
    assert_int_equal(commit(&place->hall).head_count, 1);
}

static void an_aborted_group_takes_nothing_else_with_it(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 5); /* in the records, not flushed */
    struct hs_position before = hs_store_position(place->hall.store);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    struct world_fact fact = world_money(100);
    write_fact(&place->hall, &fact);
    hs_store_abort(place->hall.store);
    hs_store_abort(place->hall.store); /* over: fine */
    struct hs_view *view = world_view(&place->hall);
    for (uint64_t number = 1; number <= 5; number++)
        assert_true(has_fact(view, &place->hall, number));
    assert_false(has_fact(view, &place->hall, 100));
    assert_true(hs_view_position(view).commit == before.commit);
    hs_view_close(view);
    assert_int_equal(world_group(&place->hall, 1).n, 6);
}

static void a_full_store_gives_up_the_group_and_goes_on(void **state)
{
    struct place *place = *state;
    static const uint8_t bytes[8000];
    struct hs_commit done;
    struct hs_dot dot;
    world_close(&place->hall);
    place->hall.options.map_bytes = 4 << 20;
    world_open(&place->hall, false);
    world_group(&place->hall, 3);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    enum hs_err err = HS_OK;
    for (uint64_t i = 0; i < 2000 && err == HS_OK; i++) {
        struct world_fact fact = world_money(1000 + i);
        fact.bytes = HS_BYTES(bytes, sizeof bytes);
        err = world_write(&place->hall, &fact, &dot);
    }
    assert_int_equal(err, HS_EFULL);
    assert_int_equal(hs_store_commit(place->hall.store, &done), HS_EFULL);
    hs_store_abort(place->hall.store);
    assert_int_equal(world_group(&place->hall, 1).n, 4);
    struct hs_hash digests = world_digests(&place->hall);
    assert_int_equal(hs_store_rebuild(place->hall.store), HS_OK);
    struct hs_hash rebuilt = world_digests(&place->hall);
    assert_true(hs_hash_equal(&digests, &rebuilt));
}

static void an_unusable_store_answers_nothing_else(void **state)
{
    struct place *place = *state;
    struct hs_commit done;
    struct hs_view *view = NULL;
    world_group(&place->hall, 1);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    struct world_fact fact = world_money(50);
    write_fact(&place->hall, &fact);
    int broken = open("/dev/null", O_RDONLY);
    assert_true(dup2(broken, hs_env_fd(hs_log_env(place->hall.store->log))) >= 0);
    close(broken);
    assert_int_equal(hs_store_commit(place->hall.store, &done), HS_EIO);
    assert_int_equal(hs_store_begin(place->hall.store), HS_EIO);
    assert_int_equal(hs_store_flush(place->hall.store), HS_EIO);
    assert_int_equal(hs_store_rebuild(place->hall.store), HS_EIO);
    assert_int_equal(hs_view_open(place->hall.store, 0, 0, &view), HS_EIO);
    world_reopen(&place->hall);
    assert_non_null(hs_store_break(place->hall.store));
    view = world_view(&place->hall);
    assert_true(has_fact(view, &place->hall, 1));
    hs_view_close(view);
}

static void a_request_is_found_by_its_id(void **state)
{
    struct place *place = *state;
    static const uint8_t request[HS_REQUEST_ID_BYTES] = "request number 1";
    struct hs_stream stream;
    uint64_t n = 0;
    struct world_fact fact = world_money(1);
    fact.request = HS_BYTES(request, sizeof request);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    struct hs_dot dot = write_fact(&place->hall, &fact);
    assert_int_equal(hs_view_request(hs_store_view(place->hall.store), fact.request, &stream, &n), HS_OK);
    assert_true(stream.origin == dot.origin && stream.lane == HS_LANE_MONEY && n == 1);
    commit(&place->hall);
    world_open(&place->hub, true);
    world_carry(&place->hall, &place->hub);
    struct hs_view *view = world_view(&place->hub);
    assert_int_equal(hs_view_request(view, fact.request, &stream, &n), HS_ENOTFOUND); /* another node's */
    hs_view_close(view);
}

/* ---- from store to store ---- */

static enum hs_safety safety_of(struct world_node *node, const struct hs_stream *stream, uint64_t n)
{
    struct hs_view *view = world_view(node);
    enum hs_safety safety = hs_view_safety(view, stream, n);
    hs_view_close(view);
    return safety;
}

static void hand_in(struct place *place, struct world_node *hub, struct hs_stream *stream)
{
    struct hs_view *view = world_view(&place->hall);
    uint64_t next = world_head(hub, stream) + 1;
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    assert_int_equal(world_carry_segment(view, hub, stream, next, &next), HS_OK);
    hs_view_close(view);
    struct hs_commit done = commit(hub);
    assert_int_equal(done.receipt_count, 1);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_put_receipt(place->hall.store, &done.receipts[0], hub->options.certificate), HS_OK);
    commit(&place->hall);
}

/* Found by the simulator: a hub showed what had come as a loose piece as safe, by receipts of the other branch. */
static void receipts_of_a_forked_stream_make_nothing_safe(void **state)
{
    struct place *place = *state;
    struct hs_commit commit;
    world_open(&place->hub, true);
    world_open(&place->second_hub, true);
    struct hs_stream stream = money_of(world_group(&place->hall, 2).origin);
    hand_in(place, &place->hub, &stream);
    hand_in(place, &place->second_hub, &stream);
    assert_int_equal(safety_of(&place->hall, &stream, 2), HS_SAFETY_SAFE);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_put_fork(place->hall.store, &stream, 2, HS_BYTES("proof", 5)), HS_OK);
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    assert_int_equal(safety_of(&place->hall, &stream, 2), HS_SAFETY_HERE);
}

static void receipts_of_two_stores_make_an_op_safe(void **state)
{
    struct place *place = *state;
    world_open(&place->hub, true);
    world_open(&place->second_hub, true);
    struct hs_stream stream = money_of(world_group(&place->hall, 2).origin);
    assert_int_equal(safety_of(&place->hall, &stream, 2), HS_SAFETY_HERE);
    hand_in(place, &place->hub, &stream);
    assert_int_equal(safety_of(&place->hall, &stream, 2), HS_SAFETY_HUB);
    assert_int_equal(safety_of(&place->hub, &stream, 2), HS_SAFETY_HUB); /* the hub's store itself */
    world_group(&place->hall, 1);
    hand_in(place, &place->second_hub, &stream);
    assert_int_equal(safety_of(&place->hall, &stream, 2), HS_SAFETY_SAFE);
    assert_int_equal(safety_of(&place->hall, &stream, 3), HS_SAFETY_HUB);
    world_group(&place->hall, 1);
    assert_int_equal(safety_of(&place->hall, &stream, 4), HS_SAFETY_HERE);
}

static enum hs_err put_name(void *ctx, const char *node_id, enum hs_role role)
{
    hs_buf_put_format(ctx, "%s %s, ", hs_role_text(role), node_id);
    return HS_OK;
}

static void expect_holders(struct world_node *node, const struct hs_stream *stream, uint64_t n, const char *wanted)
{
    struct hs_buf names = {0};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_holders(view, stream, n, put_name, &names), HS_OK);
    hs_view_close(view);
    hs_buf_put_u8(&names, 0);
    assert_int_equal(names.err, HS_OK);
    assert_string_equal((const char *)names.data, wanted);
    hs_buf_fini(&names);
}

static void a_witness_makes_safe_what_a_hub_has(void **state)
{
    struct place *place = *state;
    world_open(&place->hub, true);
    world_open(&place->witness, true);
    struct hs_stream stream = money_of(world_group(&place->hall, 2).origin);
    expect_holders(&place->hall, &stream, 2, "");
    hand_in(place, &place->witness, &stream);
    assert_int_equal(safety_of(&place->hall, &stream, 2), HS_SAFETY_HERE); /* no hub has it */
    assert_int_equal(safety_of(&place->witness, &stream, 2), HS_SAFETY_HERE);
    expect_holders(&place->hall, &stream, 2, "witness nj-witness, ");
    hand_in(place, &place->hub, &stream);
    assert_int_equal(safety_of(&place->hall, &stream, 2), HS_SAFETY_SAFE);
    world_group(&place->hall, 1);
    hand_in(place, &place->hub, &stream);
    assert_int_equal(safety_of(&place->hall, &stream, 3), HS_SAFETY_HUB);
    expect_holders(&place->hall, &stream, 3, "hub nj-hub, ");
    expect_holders(&place->hub, &stream, 3, "hub nj-hub, ");
}

static void a_witness_keeps_logs_and_no_records(void **state)
{
    struct place *place = *state;
    world_open(&place->witness, true);
    struct hs_stream stream = money_of(world_group(&place->hall, 3).origin);
    hand_in(place, &place->witness, &stream);
    world_reopen(&place->witness);
    assert_int_equal(hs_store_rebuild(place->witness.store), HS_OK);
    assert_int_equal(world_head(&place->witness, &stream), 3);
    struct hs_view *view = world_view(&place->witness);
    assert_false(has_fact(view, &place->hall, 1));
    hs_view_close(view);
    assert_false(hs_store_holds(place->witness.store, 3201));
    struct world_fact fact = world_money(1);
    struct hs_dot dot;
    assert_int_equal(hs_store_begin(place->witness.store), HS_OK);
    assert_int_equal(world_write(&place->witness, &fact, &dot), HS_ESCOPE);
    hs_store_abort(place->witness.store);
}

/* What a hub wrote is at a hub; when it was set back and has taken that in again, it has signed for it, and is no more
 * hubs than before. */
static void a_hub_that_takes_its_own_ops_back_is_one_store(void **state)
{
    struct place *place = *state;
    char backup[WORLD_PATH_BYTES];
    world_path(backup, place->region.base, "backup");
    world_open(&place->hub, true);
    world_close(&place->hub);
    world_copy_dir(place->hub.dir, backup);
    world_open(&place->hub, false);
    struct hs_stream stream = money_of(world_group(&place->hub, 2).origin);
    world_carry(&place->hub, &place->hall);
    assert_int_equal(safety_of(&place->hall, &stream, 2), HS_SAFETY_HUB);
    world_close(&place->hub);
    world_copy_dir(backup, place->hub.dir);
    world_open(&place->hub, false);
    hand_in(place, &place->hub, &stream);
    assert_int_equal(safety_of(&place->hall, &stream, 2), HS_SAFETY_HUB);
    assert_int_equal(safety_of(&place->hub, &stream, 2), HS_SAFETY_HUB);
    world_open(&place->second_hub, true);
    world_carry(&place->hall, &place->second_hub);
    assert_int_equal(safety_of(&place->second_hub, &stream, 2), HS_SAFETY_SAFE); /* the writer has it, and this one */
}

static size_t count_void(struct world_node *node)
{
    struct hs_view *view = world_view(node);
    size_t count = (size_t)hs_view_list_count(view, HS_LIST_VOID);
    hs_view_close(view);
    return count;
}

/* A segment of one op of any bytes, as its writer would sign it. */
static enum hs_err receive_raw(struct world_node *to, const struct world_node *writer, const struct hs_stream *stream,
                               struct hs_bytes op)
{
    struct hs_buf body = {0};
    struct hs_hash start = hs_chain_start(stream);
    struct hs_segment segment = {.stream = *stream, .first = 1, .count = 1, .end = hs_chain_next(&start, op)};
    hs_buf_put_sized(&body, op);
    segment.body = hs_buf_bytes(&body);
    assert_int_equal(hs_checkpoint_sign(stream, 1, &segment.end, &writer->options.signer, &segment.signature), HS_OK);
    enum hs_err err = hs_store_receive(to->store, &segment);
    hs_buf_fini(&body);
    return err;
}

static void void_ops_are_kept_and_listed_everywhere(void **state)
{
    struct place *place = *state;
    struct hs_buf encoded = {0};
    struct hs_opening opening = {.origin = 4711, .node_key = place->hall.draft.node_key, .opened_ms = 1};
    struct hs_stream stream = money_of(4711);
    world_open(&place->hub, true);
    world_group(&place->hall, 1);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    struct world_fact fact = world_money(2);
    fact.kind = 1500; /* a hub's kind, written by a hall */
    write_fact(&place->hall, &fact);
    commit(&place->hall);
    assert_int_equal(hs_opening_sign(&opening, &place->hall.options.signer, &encoded), HS_OK);
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(receive_raw(&place->hub, &place->hall, &stream, HS_BYTES("\xff\xff\xff", 3)), HS_ECERT);
    assert_int_equal(hs_store_put_origin(place->hub.store, place->hall.options.certificate, hs_buf_bytes(&encoded)),
                     HS_OK);
    assert_int_equal(receive_raw(&place->hub, &place->hall, &stream, HS_BYTES("\xff\xff\xff", 3)), HS_OK);
    commit(&place->hub);
    world_carry(&place->hall, &place->hub);
    assert_int_equal(count_void(&place->hall), 1);
    assert_int_equal(count_void(&place->hub), 2);
    world_carry(&place->hub, &place->hall);
    assert_int_equal(count_void(&place->hall), 2);
    world_assert_equal(&place->hall, &place->hub);
    hs_buf_fini(&encoded);
}

static enum hs_err keep_listed(void *ctx, const struct hs_listed *listed)
{
    struct hs_buf *keys = ctx;
    hs_buf_put_u8(keys, (uint8_t)listed->list);
    hs_buf_put_u8(keys, (uint8_t)listed->key.size);
    hs_buf_put_bytes(keys, listed->key);
    return HS_OK;
}

/* ---- what else the log keeps ---- */

static enum hs_err count_fork(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof)
{
    assert_int_equal(stream->lane, HS_LANE_MONEY);
    assert_int_equal(n, 2);
    assert_int_equal(proof.size, 5);
    ++*(size_t *)ctx;
    return HS_OK;
}

static enum hs_err count_loose(void *ctx, const struct hs_loose *loose)
{
    struct hs_hash start = hs_chain_start(&loose->segment.stream);
    assert_int_equal(loose->segment.count, 3);
    assert_true(hs_hash_equal(&loose->start, &start));
    ++*(size_t *)ctx;
    return HS_OK;
}

static enum hs_err count_enrolment(void *ctx, const struct hs_enrolment *enrolment)
{
    assert_string_equal(enrolment->node_id, "nj-east");
    ++*(size_t *)ctx;
    return HS_OK;
}

static enum hs_err count_bytes(void *ctx, struct hs_bytes key, struct hs_bytes value)
{
    assert_int_equal(key.size, HS_KEY_BYTES);
    assert_true(value.size > 0);
    ++*(size_t *)ctx;
    return HS_OK;
}

static enum hs_err stop_at_once(void *ctx, struct hs_bytes key, struct hs_bytes value)
{
    (void)ctx;
    (void)key;
    (void)value;
    return HS_ESTOPPING;
}

/* A fork of the hall's stream at the hub, its loose ops, and a token. */
static struct hs_stream fill_hub(struct place *place)
{
    struct hs_buf body = {0};
    struct hs_bytes certificate;
    struct hs_bytes opening;
    struct hs_hash secret = {{1}};
    struct hs_enrolment enrolment = {.node_id = "nj-east", .role = HS_ROLE_HALL};
    struct hs_stream stream = money_of(world_group(&place->hall, 3).origin);
    struct hs_loose loose = {.start = hs_chain_start(&stream)};
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_cut(view, &stream, 1, &body, &loose.segment), HS_OK);
    assert_int_equal(hs_view_origin(view, stream.origin, &certificate, &opening), HS_OK);
    world_open(&place->hub, true);
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(hs_store_put_origin(place->hub.store, certificate, opening), HS_OK);
    assert_int_equal(hs_store_put_certificate(place->hub.store, place->second_hub.options.certificate), HS_OK);
    assert_int_equal(hs_store_put_fork(place->hub.store, &stream, 2, HS_BYTES("proof", 5)), HS_OK);
    assert_int_equal(hs_store_put_loose(place->hub.store, &loose), HS_OK);
    assert_int_equal(hs_store_put_loose(place->hub.store, &loose), HS_OK);
    assert_int_equal(hs_store_put_enrolment(place->hub.store, &secret, &enrolment), HS_OK);
    hs_view_close(view);
    commit(&place->hub);
    hs_buf_fini(&body);
    return stream;
}

static void everything_put_is_seen_through_a_view(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = fill_hub(place);
    struct hs_hash secret = {{1}};
    struct hs_enrolment enrolment;
    struct hs_bytes held;
    size_t counts[4] = {0};
    struct hs_view *view = world_view(&place->hub);
    assert_int_equal(hs_view_forks(view, count_fork, &counts[0]), HS_OK);
    assert_int_equal(hs_view_loose(view, &stream, count_loose, &counts[1]), HS_OK);
    assert_int_equal(hs_view_enrolments(view, count_enrolment, &counts[2]), HS_OK);
    assert_int_equal(hs_view_certificates(view, count_bytes, &counts[3]), HS_OK);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 1);
    assert_int_equal(counts[3], 3);
    assert_int_equal(hs_view_certificates(view, stop_at_once, NULL), HS_ESTOPPING);
    assert_int_equal(hs_view_enrolment(view, &secret, &enrolment), HS_OK);
    secret.bytes[0]++;
    assert_int_equal(hs_view_enrolment(view, &secret, &enrolment), HS_ETOKEN);
    assert_int_equal(hs_view_certificate(view, &place->second_hub.draft.node_key, &held), HS_OK);
    assert_true(hs_bytes_equal(held, place->second_hub.options.certificate));
    hs_view_close(view);
}

static void a_forked_streams_loose_facts_are_merged_and_it_is_listed(void **state)
{
    struct place *place = *state;
    struct hs_buf keys = {0};
    fill_hub(place);
    struct hs_view *view = world_view(&place->hub);
    for (uint64_t number = 1; number <= 3; number++)
        assert_true(has_fact(view, &place->hall, number));
    assert_int_equal(hs_view_list_count(view, HS_LIST_FORK), 1);
    assert_int_equal(hs_view_list_count(view, 0), 1);
    assert_int_equal(hs_view_list(view, HS_LIST_FORK, HS_BYTES_NONE, keep_listed, &keys), HS_OK);
    assert_int_equal(keys.data[0], HS_LIST_FORK);
    struct hs_bytes key = HS_BYTES(keys.data + 2, keys.data[1]);
    struct hs_record_name name = {.id = HS_BYTES(key.data + 1, HS_STREAM_KEY_BYTES)};
    assert_true(hs_view_listed(view, HS_LIST_FORK, &name));
    struct hs_buf rest = {0};
    assert_int_equal(hs_view_list(view, 0, key, keep_listed, &rest), HS_OK);
    assert_int_equal(rest.size, 0); /* behind the last one */
    hs_view_close(view);
    struct hs_hash digests = world_digests(&place->hub);
    assert_int_equal(hs_store_rebuild(place->hub.store), HS_OK);
    struct hs_hash rebuilt = world_digests(&place->hub);
    assert_true(hs_hash_equal(&digests, &rebuilt));
    hs_buf_fini(&keys);
}

static void a_view_tells_the_lag_and_checkpoints_of_a_stream(void **state)
{
    struct place *place = *state;
    struct hs_checkpoint checkpoint;
    struct hs_hash hash;
    uint64_t ops;
    uint64_t bytes;
    struct hs_stream stream = money_of(world_group(&place->hall, 4).origin);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_checkpoint(view, &stream, 100, &checkpoint), HS_OK);
    assert_int_equal(checkpoint.n, 4);
    assert_int_equal(hs_view_hash_at(view, &stream, 4, &hash), HS_OK);
    assert_true(hs_hash_equal(&hash, &checkpoint.hash));
    hs_view_lag(view, &stream, 1, &ops, &bytes);
    assert_int_equal(ops, 3);
    assert_true(bytes > 3 * 120 && bytes < 3 * 200);
    hs_view_close(view);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, place_end)
    const struct CMUnitTest tests[] = {
        TEST(a_new_store_is_its_owners_alone),
        TEST(a_store_knows_whose_it_is),
        TEST(what_cannot_be_opened_is_refused_with_a_reason),
        cmocka_unit_test(network_file_systems_are_known_by_their_numbers),
        TEST(a_write_is_seen_by_the_writer_then_by_all),
        TEST(a_draft_over_a_limit_changes_nothing),
        TEST(an_aborted_group_takes_nothing_else_with_it),
        TEST(a_full_store_gives_up_the_group_and_goes_on),
        TEST(an_unusable_store_answers_nothing_else),
        TEST(a_request_is_found_by_its_id),
        TEST(receipts_of_two_stores_make_an_op_safe),
        TEST(receipts_of_a_forked_stream_make_nothing_safe),
        TEST(a_witness_makes_safe_what_a_hub_has),
        TEST(a_witness_keeps_logs_and_no_records),
        TEST(a_hub_that_takes_its_own_ops_back_is_one_store),
        TEST(void_ops_are_kept_and_listed_everywhere),
        TEST(everything_put_is_seen_through_a_view),
        TEST(a_forked_streams_loose_facts_are_merged_and_it_is_listed),
        TEST(a_view_tells_the_lag_and_checkpoints_of_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

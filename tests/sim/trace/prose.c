/* Messages between nodes in plain prose. */
#include "tests/sim/trace/trace.h"

#include "tests/lib/replica_parts.h"
#include "tests/lib/replica_world_source.h"

#include <assert.h>
#include <stdio.h>

#define LIST_SHOWN 8 /* entries; of longer lists the first and the last */

void trace_put(struct trace *t, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(size >= 0 && (size_t)size < sizeof text);
    if (!t->is_quiet)
        hs_buf_put(&t->text, text, (size_t)size);
}

/* ---- parts ---- */

static struct hs_stream name_of(const Hallsync__StreamName *name)
{
    return (struct hs_stream){name->origin, (hs_partition)name->partition, (uint8_t)name->lane};
}

static void put_head(struct trace *t, const Hallsync__StreamHead *head)
{
    struct hs_stream stream = name_of(head->stream);
    trace_put_stream(t, &stream);
    trace_put(t, " ");
    trace_put_number(t, &stream, head->n, head->hash.data);
}

static bool is_left_out(size_t i, size_t count)
{
    return count > LIST_SHOWN && i > 0 && i < count - 1;
}

/* What stands before the i-th of a list: a comma, or how much of it is left out. */
static void put_comma(struct trace *t, size_t i, size_t count)
{
    if (i > 0 && count > LIST_SHOWN)
        trace_put(t, " ... (%zu entries) ... ", count);
    else if (i > 0)
        trace_put(t, ", ");
}

static void put_heads(struct trace *t, Hallsync__StreamHead *const *heads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_left_out(i, count))
            continue;
        put_comma(t, i, count);
        put_head(t, heads[i]);
    }
}

/* False: it does not hold, which is said. */
static bool put_signed(struct trace *t, const Hallsync__Certificate *certificate, struct hs_certificate *verified)
{
    struct hs_buf packed = {0};
    hs_msg_pack(&certificate->base, &packed);
    enum hs_err err = hs_certificate_verify(hs_buf_bytes(&packed), &t->w->root_key, verified);
    hs_buf_fini(&packed);
    if (err != HS_OK)
        trace_put(t, "a certificate that does not hold (%s)", hs_err_name(err));
    return err == HS_OK;
}

/* ---- greeting ---- */

static void put_hello(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerHello *hello = (const Hallsync__PeerHello *)message;
    struct hs_certificate certificate = {0};
    trace_put(t, "Hello: ");
    if (put_signed(t, hello->certificate, &certificate))
        trace_put(t, "I am %s, a %s", certificate.node_id, hs_role_text(certificate.role));
    trace_put(t, "; for%s", hello->everything ? " everything" : "");
    for (size_t i = 0; i < hello->n_districts; i++)
        trace_put(t, " %u", hello->districts[i]);
    if (hello->version_min == hello->version_max)
        trace_put(t, "; version %u", hello->version_min);
    else
        trace_put(t, "; versions %u to %u", hello->version_min, hello->version_max);
    if (t->shows_sizes)
        trace_put(t, "; credit %u", hello->credit);
    for (size_t i = 0; i < hello->n_features; i++) {
        if (trace_type_name((uint8_t)hello->features[i]) == NULL) /* else it is what all of them know */
            trace_put(t, "; feature %u", hello->features[i]);
    }
    if (hello->revocations > 0)
        trace_put(t, "; %u revocation%s will come", hello->revocations, hello->revocations == 1 ? "" : "s");
    if (hello->n_heads > 0)
        trace_put(t, "; I hold ");
    put_heads(t, hello->heads, hello->n_heads);
}

static void put_refuse(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerRefuse *refuse = (const Hallsync__PeerRefuse *)message;
    trace_put(t, "Refuse: %s (%s)", refuse->error, refuse->text == NULL ? "" : refuse->text);
    if (refuse->revocation != NULL)
        trace_put(t, ", with the revocation");
}

/* ---- frontier ---- */

static void put_item(struct trace *t, uint32_t level, const struct part_item *item, bool named)
{
    ProtobufCBinaryData hash = {sizeof item->hash, (uint8_t *)item->hash};
    ProtobufCBinaryData node = {sizeof item->node, (uint8_t *)item->node};
    char partition[HS_PARTITION_TEXT_BYTES];
    if (level == 2) {
        trace_put_stream(t, &item->stream);
        trace_put(t, " ");
        trace_put_number(t, &item->stream, item->n, item->hash);
        return;
    }
    trace_put(t, "%s", level == 0 ? hs_partition_text(item->partition, partition) : trace_hash_name(t, &node));
    if (named)
        return;
    trace_put(t, "=");
    trace_put_label(t, &hash);
}

static void put_items(struct trace *t, const Hallsync__FrontierPart *part, const ProtobufCBinaryData *packed,
                      bool named)
{
    struct part_item items[PART_ITEMS_MAX];
    size_t count = part_items(part, packed, named, items);
    for (size_t i = 0; i < count; i++) {
        if (is_left_out(i, count))
            continue;
        put_comma(t, i, count);
        put_item(t, part->level, &items[i], named);
    }
    trace_put(t, "%s", count == 0 ? "nothing" : "");
}

static void put_buckets(struct trace *t, const char *what, uint32_t present, const ProtobufCBinaryData *hashes)
{
    size_t at = 2;
    trace_put(t, "%s", what);
    for (unsigned i = 0; i < 16; i++) {
        if ((present & 1U << i) == 0)
            continue;
        trace_put(t, " %x", i);
        if (hashes != NULL && at + 8 <= hashes->len) {
            ProtobufCBinaryData hash = {8, hashes->data + at};
            trace_put(t, "=");
            trace_put_label(t, &hash);
        }
        at += 8;
    }
}

static void put_answer(struct trace *t, const Hallsync__FrontierPart *part)
{
    bool differs = part->has_items || part->has_differ, lacks = part->has_lacked || part->has_lacks;
    if (part->level == 2)
        trace_put(t, differs ? "here it is " : "the same");
    else
        trace_put(t, differs ? "differs: " : lacks ? "" : "the same");
    if (part->has_items)
        put_items(t, part, &part->items, true);
    if (part->has_differ)
        put_buckets(t, "buckets", part->differ, NULL);
    if (lacks)
        trace_put(t, differs ? "; lacks " : "lacks ");
    if (part->has_lacked)
        put_items(t, part, &part->lacked, true);
    if (part->has_lacks)
        put_buckets(t, "buckets", part->lacks, NULL);
}

static void put_part(struct trace *t, const Hallsync__FrontierPart *part)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    bool is_answer = part->has_reply && part->reply;
    if (part->level >= 1)
        trace_put(t, " of %s", hs_partition_text((hs_partition)part->partition, partition));
    if (part->level == 2)
        trace_put(t, ", %s", trace_hash_name(t, &part->node));
    if (part->level > 2)
        trace_put(t, " of a level that there is not");
    if (part->has_prefix)
        trace_put(t, " at ");
    for (size_t i = 0; part->has_prefix && i < part->prefix.len; i++)
        trace_put(t, "%x", part->prefix.data[i]);
    trace_put(t, is_answer ? " is answered: " : ": ");
    if (is_answer)
        put_answer(t, part);
    else if (part->has_buckets)
        put_buckets(t, "buckets", part_present(part), &part->buckets);
    else
        put_items(t, part, &part->items, false);
}

static void put_frontier(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerFrontier *frontier = (const Hallsync__PeerFrontier *)message;
    if (frontier->n_parts == 0) {
        trace_put(t, "Announcement: I am at %s", frontier->n_heads == 0 ? "nothing" : "");
        put_heads(t, frontier->heads, frontier->n_heads);
        return;
    }
    trace_put(t, "Frontier");
    for (size_t i = 0; i < frontier->n_parts; i++) {
        if (i > 0)
            trace_put(t, " |");
        put_part(t, frontier->parts[i]);
    }
}

/* ---- operations ---- */

static void put_opening(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerOpening *body = (const Hallsync__PeerOpening *)message;
    struct hs_certificate certificate = {0};
    struct hs_opening opening;
    struct hs_buf packed = {0};
    hs_msg_pack(&body->origin->base, &packed);
    enum hs_err err = hs_opening_verify(hs_buf_bytes(&packed), &opening);
    hs_buf_fini(&packed);
    if (err != HS_OK) {
        trace_put(t, "Opening that does not hold (%s)", hs_err_name(err));
        return;
    }
    trace_put(t, "Opening of origin %s", trace_origin_name(t, opening.origin));
    if (opening.follows != 0)
        trace_put(t, ", which is said to follow another");
    if (strncmp(trace_origin_name(t, opening.origin), trace_key_name(t, &opening.node_key),
                strlen(trace_key_name(t, &opening.node_key))) != 0)
        trace_put(t, ", signed by %s", trace_key_name(t, &opening.node_key));
    trace_put(t, "; ");
    if (put_signed(t, body->certificate, &certificate))
        trace_put(t, "certificate of %s", certificate.node_id);
}

/* "gulou/3201/money 3..5", with a stroke where the last one is not the content that was met first. */
static void put_range(struct trace *t, const struct hs_stream *stream, uint64_t first, uint32_t count,
                      const struct hs_hash *end)
{
    trace_put_stream(t, stream);
    trace_put(t, " ");
    if (count != 1)
        trace_put(t, "%llu..", (unsigned long long)first);
    if (end != NULL)
        trace_put_number(t, stream, first + count - 1, end->bytes);
    else
        trace_put(t, "%llu", (unsigned long long)(first + count - 1));
}

static void put_segment(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerSegment *segment = (const Hallsync__PeerSegment *)message;
    struct hs_stream stream = name_of(segment->stream);
    struct hs_hash end;
    bool is_signed = trace_checkpoint_hash(t, &stream, segment->first + segment->count - 1, &segment->signature, &end);
    trace_put(t, "Segment ");
    put_range(t, &stream, segment->first, segment->count, is_signed ? &end : NULL);
    if (t->shows_sizes)
        trace_put(t, ", %u bytes", segment->raw_bytes);
}

static struct hs_hash piece_end(const Hallsync__PeerLoose *loose)
{
    struct hs_cur cur = hs_cur_of(HS_BYTES(loose->body.data, loose->body.len));
    struct hs_hash hash;
    memcpy(hash.bytes, loose->start_hash.data, sizeof hash.bytes);
    for (uint32_t i = 0; i < loose->count && cur.err == HS_OK; i++)
        hash = hs_chain_next(&hash, hs_cur_sized(&cur));
    return hash;
}

static void put_piece(struct trace *t, const Hallsync__PeerLoose *loose)
{
    struct hs_stream stream = name_of(loose->stream);
    struct hs_hash end = piece_end(loose), known;
    bool is_signed = trace_checkpoint_hash(t, &stream, loose->first + loose->count - 1, &loose->signature, &known);
    put_range(t, &stream, loose->first, loose->count, is_signed ? &end : NULL);
}

static void put_loose(struct trace *t, const ProtobufCMessage *message)
{
    trace_put(t, "Loose piece ");
    put_piece(t, (const Hallsync__PeerLoose *)message);
}

static void put_dispute(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerDispute *dispute = (const Hallsync__PeerDispute *)message;
    struct hs_stream stream = name_of(dispute->stream);
    trace_put(t, "Dispute: I hold ");
    trace_put_stream(t, &stream);
    trace_put(t, " ");
    trace_put_number(t, &stream, dispute->n, dispute->hash.data);
    for (size_t i = 0; i < dispute->n_samples; i++) {
        if (is_left_out(i, dispute->n_samples))
            continue;
        if (i == 0)
            trace_put(t, ", before it ");
        put_comma(t, i, dispute->n_samples);
        trace_put_number(t, &stream, dispute->samples[i]->n, dispute->samples[i]->hash.data);
    }
}

static void put_proof(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerForkProof *proof = (const Hallsync__PeerForkProof *)message;
    struct hs_stream stream = name_of(proof->stream);
    trace_put(t, "Fork proof: signed are both ");
    trace_put_stream(t, &stream);
    trace_put(t, " ");
    trace_put_number(t, &stream, proof->n, proof->hash.data);
    trace_put(t, " and the piece ");
    put_piece(t, proof->branch);
}

/* ---- answers ---- */

static void put_receipt(struct trace *t, const Hallsync__Receipt *receipt)
{
    struct hs_stream stream = name_of(receipt->stream);
    trace_put(t, "receipt of %s for ", trace_store_name(t, receipt->store_id));
    trace_put_stream(t, &stream);
    trace_put(t, " ");
    trace_put_number(t, &stream, receipt->n, receipt->hash.data);
    if (receipt->hub != NULL)
        trace_put(t, " with its certificate");
}

static void put_ack(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerAck *ack = (const Hallsync__PeerAck *)message;
    trace_put(t, "Ack:");
    for (size_t i = 0; i < ack->n_stored; i++) {
        struct hs_stream stream = name_of(ack->stored[i]->stream);
        if (is_left_out(i, ack->n_stored))
            continue;
        trace_put(t, i == 0 ? " stored " : "");
        put_comma(t, i, ack->n_stored);
        trace_put_stream(t, &stream);
        trace_put(t, " %llu", (unsigned long long)ack->stored[i]->n);
    }
    for (size_t i = 0; i < ack->n_receipts; i++) {
        trace_put(t, i == 0 && ack->n_stored == 0 ? " " : "; ");
        put_receipt(t, ack->receipts[i]);
    }
    const char *comma = ack->n_stored + ack->n_receipts == 0 ? "" : ";";
    if (ack->has_credit_total && t->shows_sizes)
        trace_put(t, "%s credit up to %llu", comma, (unsigned long long)ack->credit_total);
    else if (ack->has_credit_total)
        trace_put(t, "%s credit", comma);
}

static void put_beat(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerHeartbeat *beat = (const Hallsync__PeerHeartbeat *)message;
    const uint64_t began_ms = WORLD_CLOCK_MS + t->zero_ms;
    trace_put(t, "Heartbeat: my clock says %lld", (long long)(beat->clock_ms - began_ms));
    if (beat->has_echo_ms)
        trace_put(t, ", when yours came it said %lld", (long long)(beat->echo_ms - began_ms));
    if (beat->n_heads > 0)
        trace_put(t, "; I hold ");
    put_heads(t, beat->heads, beat->n_heads);
    if (beat->has_payments_count)
        trace_put(t, "; payments %llu", (unsigned long long)beat->payments_count);
    if (beat->has_held_lanes)
        trace_put(t, "; I take %s", beat->held_lanes == 0 ? "all lanes" : "none of:");
    for (uint8_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++)
        trace_put(t, "%s%s", (beat->held_lanes & 1U << lane) != 0 ? " " : "",
                  (beat->held_lanes & 1U << lane) != 0 ? hs_lane_text((enum hs_lane)lane) : "");
}

static void put_probe(struct trace *t, const ProtobufCMessage *message)
{
    trace_put(t, "Probe %llu", (unsigned long long)((const Hallsync__PeerProbe *)message)->id);
}

static void put_probe_reply(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerProbeReply *reply = (const Hallsync__PeerProbeReply *)message;
    trace_put(t, "Probe reply %llu: %s", (unsigned long long)reply->id,
              reply->n_heads == 0 ? "you have acknowledged all" : "not acknowledged is ");
    put_heads(t, reply->heads, reply->n_heads);
}

static void put_base(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__SignedHead *head = ((const Hallsync__PeerBase *)message)->head;
    struct hs_stream stream = name_of(head->stream);
    trace_put(t, "Base: begin ");
    trace_put_stream(t, &stream);
    trace_put(t, " behind ");
    trace_put_number(t, &stream, head->n, head->hash.data);
}

/* ---- states ---- */

static void put_pair(struct trace *t, uint32_t partition, uint32_t lane)
{
    char text[HS_PARTITION_TEXT_BYTES];
    trace_put(t, "%s of %s", hs_lane_valid(lane) ? hs_lane_text((enum hs_lane)lane) : "no lane",
              hs_partition_text((hs_partition)partition, text));
}

static void put_pruned(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerPruned *pruned = (const Hallsync__PeerPruned *)message;
    struct hs_stream stream = name_of(pruned->head->stream);
    trace_put(t, "Pruned: ");
    trace_put_stream(t, &stream);
    trace_put(t, ", of which I hold ");
    trace_put_number(t, &stream, pruned->head->n, pruned->head->hash.data);
}

static void put_fill(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerFill *fill = (const Hallsync__PeerFill *)message;
    trace_put(t, "Fill: ");
    put_pair(t, fill->partition, fill->lane);
    trace_put(t, fill->has_done && fill->done ? ", done" : fill->has_after ? ", behind the last that came" : "");
}

static void put_fill_heads(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerFillHeads *heads = (const Hallsync__PeerFillHeads *)message;
    trace_put(t, heads->update ? "Fill heads, update of " : "Fill heads of ");
    put_pair(t, heads->partition, heads->lane);
    trace_put(t, ": %s", heads->error != NULL ? heads->error : heads->n_heads == 0 ? "none" : "");
    for (size_t i = 0; i < heads->n_heads; i++) {
        struct hs_stream stream = name_of(heads->heads[i]->stream);
        put_comma(t, i, heads->n_heads);
        trace_put_stream(t, &stream);
        trace_put(t, " ");
        trace_put_number(t, &stream, heads->heads[i]->n, heads->heads[i]->hash.data);
    }
    if (heads->has_records && heads->records > 0)
        trace_put(t, "; about %llu records", (unsigned long long)heads->records);
    trace_put(t, heads->last ? "" : "; more follow");
}

static void put_states(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerStates *states = (const Hallsync__PeerStates *)message;
    trace_put(t, "States of ");
    put_pair(t, states->partition, states->lane);
    if (t->shows_sizes)
        trace_put(t, ", %u bytes", states->raw_bytes);
    trace_put(t, states->partial ? ", the last record goes on" : states->last ? ", the last" : "");
}

/* ---- revoked keys ---- */

static void put_revocations(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerRevocations *told = (const Hallsync__PeerRevocations *)message;
    struct hs_certificate certificate = {0};
    trace_put(t, "Revocations: ");
    for (size_t i = 0; i < told->n_revocations; i++) {
        if (put_signed(t, told->revocations[i]->node, &certificate))
            trace_put(t, "%skey of %s", i > 0 ? ", " : "", certificate.node_id);
    }
    if (told->n_releases > 0)
        trace_put(t, "%s%zu release%s", told->n_revocations > 0 ? ", " : "", told->n_releases,
                  told->n_releases == 1 ? "" : "s");
}

static void put_stores(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerStores *stores = (const Hallsync__PeerStores *)message;
    struct hs_stream name;
    trace_put(t, "Stores:");
    for (size_t i = 0; i < stores->n_gone; i++)
        trace_put(t, " %s is gone", trace_store_name(t, stores->gone[i]->store_id));
    for (size_t i = 0; i < stores->n_wanted; i++) {
        trace_put(t, i == 0 ? " your receipts, please, of " : ", ");
        name = name_of(stores->wanted[i]);
        trace_put_stream(t, &name);
    }
    if (stores->has_told && stores->told)
        trace_put(t, " these are all");
}

static void put_fetch(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerFetch *fetch = (const Hallsync__PeerFetch *)message;
    struct hs_stream stream = {fetch->stream->origin, (hs_partition)fetch->stream->partition,
                               (uint8_t)fetch->stream->lane};
    trace_put(t, "Fetch: ");
    trace_put_stream(t, &stream);
    trace_put(t, " from %llu on%s", (unsigned long long)fetch->first,
              fetch->segment != NULL ? ", here it is"
              : fetch->has_none      ? ", not held"
                                     : "");
}

/* ---- questions ---- */

static void put_ask(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerAsk *ask = (const Hallsync__PeerAsk *)message;
    trace_put(t, "Ask %llu: kind %u, %s ", (unsigned long long)ask->id, ask->kind, ask->index == 0 ? "id" : "index");
    trace_put(t, "%.*s%s", (int)ask->key.len, (const char *)ask->key.data, ask->has_after ? ", behind the last" : "");
}

static void put_said(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerAnswer *answer = (const Hallsync__PeerAnswer *)message;
    trace_put(t, "Answer %llu: ", (unsigned long long)answer->id);
    if (answer->error != NULL)
        trace_put(t, "%s", answer->error);
    for (size_t i = 0; i < answer->n_records; i++) {
        const Hallsync__AnswerRecord *record = answer->records[i];
        struct hs_record_name name;
        if (hs_record_from_key(HS_BYTES(record->key.data, record->key.len), &name) != HS_OK)
            continue;
        put_comma(t, i, answer->n_records);
        trace_put(t, "%skind %u %.*s", record->has_beside && record->beside ? "with it " : "", name.kind,
                  (int)name.id.size, (const char *)name.id.data);
    }
    trace_put(t, "%s%s%s", answer->error == NULL && answer->n_records == 0 ? "nothing" : "",
              answer->last ? "" : "; more follow", answer->has_cut && answer->cut ? "; cut" : "");
    trace_put(t, ", as %s had it", answer->node);
}

/* ---- digests ---- */

static void put_compare(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerCompare *question = (const Hallsync__PeerCompare *)message;
    char partition[HS_PARTITION_TEXT_BYTES];
    trace_put(t, "Compare %llu: ", (unsigned long long)question->id);
    if (question->level == 0) {
        trace_put(t, "all digests?");
        return;
    }
    trace_put(t, "%s kind %u, ", hs_partition_text((hs_partition)question->partition, partition), question->kind);
    if (question->level == 1)
        trace_put(t, "all branches?");
    else
        trace_put(t, question->level == 2 ? "leaves of branch %u%s?" : "records of leaf %u%s?", question->branch,
                  question->has_after ? ", behind the last one" : "");
}

static void put_digest(struct trace *t, const Hallsync__CompareEntry *entry)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    if (entry->has_key) {
        trace_put(t, "record ");
        trace_put_label(t, &entry->applied);
        trace_put(t, " has content ");
    } else if (entry->has_partition) {
        trace_put(t, "%s kind %u: %llu record%s ", hs_partition_text((hs_partition)entry->partition, partition),
                  entry->kind, (unsigned long long)entry->count, entry->count == 1 ? "" : "s");
    } else {
        trace_put(t, "%u: %llu record%s ", entry->index, (unsigned long long)entry->count,
                  entry->count == 1 ? "" : "s");
    }
    trace_put_label(t, &entry->sum);
}

static void put_compare_reply(struct trace *t, const ProtobufCMessage *message)
{
    const Hallsync__PeerCompareReply *reply = (const Hallsync__PeerCompareReply *)message;
    trace_put(t, "Compare reply %llu: %s", (unsigned long long)reply->id, reply->n_entries == 0 ? "nothing" : "");
    for (size_t i = 0; i < reply->n_entries; i++) {
        if (is_left_out(i, reply->n_entries))
            continue;
        put_comma(t, i, reply->n_entries);
        put_digest(t, reply->entries[i]);
    }
    trace_put(t, reply->last ? "" : "; more follows");
}

/* ---- all ---- */

static const struct {
    const char *name;
    void (*put)(struct trace *t, const ProtobufCMessage *message);
} TYPES[] = {
    [HALLSYNC__PEER_TYPE__PEER_HELLO] = {"Hello", put_hello},
    [HALLSYNC__PEER_TYPE__PEER_REFUSE] = {"Refuse", put_refuse},
    [HALLSYNC__PEER_TYPE__PEER_FRONTIER] = {"Frontier", put_frontier},
    [HALLSYNC__PEER_TYPE__PEER_OPENING] = {"Opening", put_opening},
    [HALLSYNC__PEER_TYPE__PEER_SEGMENT] = {"Segment", put_segment},
    [HALLSYNC__PEER_TYPE__PEER_ACK] = {"Ack", put_ack},
    [HALLSYNC__PEER_TYPE__PEER_HEARTBEAT] = {"Heartbeat", put_beat},
    [HALLSYNC__PEER_TYPE__PEER_PROBE] = {"Probe", put_probe},
    [HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY] = {"Probe reply", put_probe_reply},
    [HALLSYNC__PEER_TYPE__PEER_COMPARE] = {"Compare", put_compare},
    [HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY] = {"Compare reply", put_compare_reply},
    [HALLSYNC__PEER_TYPE__PEER_DISPUTE] = {"Dispute", put_dispute},
    [HALLSYNC__PEER_TYPE__PEER_FORK_PROOF] = {"Fork proof", put_proof},
    [HALLSYNC__PEER_TYPE__PEER_LOOSE] = {"Loose piece", put_loose},
    [HALLSYNC__PEER_TYPE__PEER_BASE] = {"Base", put_base},
    [HALLSYNC__PEER_TYPE__PEER_PRUNED] = {"Pruned", put_pruned},
    [HALLSYNC__PEER_TYPE__PEER_FILL] = {"Fill", put_fill},
    [HALLSYNC__PEER_TYPE__PEER_FILL_HEADS] = {"Fill heads", put_fill_heads},
    [HALLSYNC__PEER_TYPE__PEER_STATES] = {"States", put_states},
    [HALLSYNC__PEER_TYPE__PEER_ASK] = {"Ask", put_ask},
    [HALLSYNC__PEER_TYPE__PEER_ANSWER] = {"Answer", put_said},
    [HALLSYNC__PEER_TYPE__PEER_REVOCATIONS] = {"Revocations", put_revocations},
    [HALLSYNC__PEER_TYPE__PEER_STORES] = {"Stores", put_stores},
    [HALLSYNC__PEER_TYPE__PEER_FETCH] = {"Fetch", put_fetch},
    [HALLSYNC__PEER_TYPE__PEER_JOIN] = {"Join", NULL},
    [HALLSYNC__PEER_TYPE__PEER_JOIN_REPLY] = {"Join reply", NULL},
};

const char *trace_type_name(uint8_t type)
{
    return type < sizeof TYPES / sizeof *TYPES ? TYPES[type].name : NULL;
}

void trace_message(struct trace *t, uint8_t type, struct hs_bytes body)
{
    ProtobufCMessage *message;
    hs_arena_reset(&t->arena);
    if (trace_type_name(type) == NULL)
        trace_put(t, "a message of type %u, which there is not", type);
    else if (TYPES[type].put == NULL)
        trace_put(t, "%s", TYPES[type].name);
    else if (hs_msg_unpack(puppet_descriptor(type), body, &t->arena, &message) != HS_OK)
        trace_put(t, "%s that cannot be read", TYPES[type].name);
    else
        TYPES[type].put(t, message);
}

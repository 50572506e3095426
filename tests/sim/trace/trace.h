/* trace.h -- scenarios whose whole course is a text: who says what to whom, who stores what, who is told what, and
 * when.
 *
 * The nodes are those of tests/lib/replica_world.h: the real replica, keys from fixed seeds, stores in memory.  Here
 * lines have a delay, commits take their time, and everything that happens becomes one line of plain prose:
 *
 *   [   20] hub > gulou    Ack: stored gulou/3201/money 1; receipt of hub for 1
 *
 * Names are stable: an origin is named by its node ("gulou", its second one "gulou#2"), a second content under one
 * number by a stroke ("4'"), and hashes of frontiers and digests by letters, in the order in which they are met. */
#ifndef HS_TEST_TRACE_H
#define HS_TEST_TRACE_H

#include "tests/lib/replica_world.h"
#include "tests/unit/replica_puppet.h"

#define TRACE_LATENCY_MS 10 /* of each line, each way */
#define TRACE_COMMIT_MS  5  /* from the first thing asked for to the commit of all asked for by then */
#define TRACE_RULES_MAX  16

/* ---- a trace ---- */

struct trace_origin {
    uint64_t id;
    char name[HS_NODE_ID_BYTES_MAX + 8];
};
struct trace_hash { /* h(n) of a stream, or a hash that stands for something else */
    struct hs_stream stream;
    uint64_t n;
    uint8_t prefix[8];
    unsigned variant;
};

struct trace {
    struct world *w;
    struct world_watch watch;
    struct hs_buf text;
    struct hs_arena arena; /* of messages being told */
    struct hs_buf offered; /* the body of the last frontier that a replica has sent */
    uint64_t zero_ms;      /* time 0 of the text */
    bool is_quiet;         /* nothing is written */
    bool shows_sizes;      /* bytes of segments, totals of credit */
    bool hides_arrivals;   /* only what is sent */
    uint32_t hidden;       /* messages of these types: bits 1 << HALLSYNC__PEER_TYPE__... */
    struct trace_origin *origins;
    struct trace_hash *hashes, *labels;
    size_t origin_count, hash_count, label_count;
};

#define TRACE_TYPE(type) (1U << HALLSYNC__PEER_TYPE__PEER_##type)
#define TRACE_TIMERS                                                                               \
    (TRACE_TYPE(HEARTBEAT) | TRACE_TYPE(COMPARE) | TRACE_TYPE(COMPARE_REPLY) | TRACE_TYPE(PROBE) | \
     TRACE_TYPE(PROBE_REPLY)) /* hidden unless a scenario shows them */
#define TRACE_GREETING (TRACE_TYPE(HELLO) | TRACE_TYPE(FRONTIER))

void trace_init(struct trace *t);
void trace_fini(struct trace *t);

/* ---- what scenarios do ---- */

/* A sentence between the lines. */
void trace_tell(struct trace *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something that the lines do not show, true or not. */
void trace_fact(struct trace *t, bool is_so, const char *text);
void trace_zero(struct trace *t); /* time is 0 now; and from here on everything is told */
void trace_run(struct trace *t, uint64_t ms);
void trace_cut(struct trace *t, struct world_link *link); /* the line is gone, and what is on it; both ends notice */
void trace_lose(struct trace *t, struct world_link *link, int to); /* the next frame on its way to that end */
/* What a node holds of a stream, written down. */
void trace_holds(struct trace *t, const struct world_node *node, const struct hs_stream *stream);
/* A hub and gulou, a hall of district 3201: met, everything compared, nothing told so far. */
struct trace_pair {
    struct world_node *hub, *hall;
    struct world_link *link;
};
struct trace_pair trace_pair(struct trace *t);
struct hs_stream trace_write(struct world_node *node, hs_partition partition, enum hs_lane lane, unsigned count);

/* A puppet is a node whose messages the scenario makes by hand (tests/unit/replica_puppet.h). */
void trace_puppet_calls(struct puppet *p, struct world_node *self, struct world_node *other);
void trace_puppet_called(struct puppet *p, struct world_node *self, struct world_node *other);
void trace_say(struct trace *t, struct puppet *p, uint8_t type, const ProtobufCMessage *message);
void trace_say_raw(struct trace *t, struct puppet *p, struct hs_bytes frame, const char *what);
/* It announces where it is; h(n) is that of @holder's store. */
void trace_say_head(struct trace *t, struct puppet *p, const struct hs_stream *stream, uint64_t n,
                    const struct world_node *holder);
void trace_say_hello(struct trace *t, struct puppet *p); /* and that it holds nothing; the other has answered then */
void trace_say_segment(struct trace *t, struct puppet *p, const struct hs_stream *stream, uint64_t first,
                       uint64_t last); /* the opening ahead of number 1 */

/* ---- the text (prose.c, names.c) ---- */

void trace_put(struct trace *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_message(struct trace *t, uint8_t type, struct hs_bytes body);
const char *trace_type_name(uint8_t type); /* NULL: there is no such type */

void trace_names_fini(struct trace *t);
const char *trace_node_name(const struct trace *t, const struct world_node *node, char text[static 48]);
const char *trace_key_name(const struct trace *t, const struct hs_key *key);         /* whose node key it is */
const char *trace_hash_name(const struct trace *t, const ProtobufCBinaryData *hash); /* ... by its node name */
const char *trace_store_name(const struct trace *t, uint64_t store_id);
const char *trace_origin_name(struct trace *t, uint64_t origin);
void trace_put_stream(struct trace *t, const struct hs_stream *stream);
/* "4", or "4'" if another h(4) was met before; "a set of 8" if no chain has this hash. */
void trace_put_number(struct trace *t, const struct hs_stream *stream, uint64_t n, const uint8_t hash[static 8]);
void trace_put_label(struct trace *t, const ProtobufCBinaryData *hash); /* a letter for it */
/* h(n) under that checkpoint's signature; false: nobody here signed it. */
bool trace_checkpoint_hash(const struct trace *t, const struct hs_stream *stream, uint64_t n,
                           const ProtobufCBinaryData *signature, struct hs_hash *hash);

/* ---- scenarios and their files (book.c) ---- */

struct trace_scenario {
    const char *name, *title;
    const char *rules[TRACE_RULES_MAX]; /* word for word from PROTOCOL.md */
    void (*run)(struct trace *t);
};
/* A rule that these worlds cannot reach, and the test that covers it. */
struct trace_elsewhere {
    const char *rule, *file, *test;
};
extern const struct trace_scenario TRACE_TRUST[], TRACE_HELLO[], TRACE_SCOPE[], TRACE_FRONTIER[], TRACE_SEGMENT[],
    TRACE_ORDER[], TRACE_ACK[], TRACE_ALIVE[], TRACE_FORK[], TRACE_VERSION[], TRACE_WITNESS[], TRACE_STATE[],
    TRACE_ASK[], TRACE_REVOKE[], TRACE_STORES[];
extern const struct trace_elsewhere TRACE_ELSEWHERE[];

/* Both return whether all is as the files say, and print what is not; with HS_WRITE=1 they write the files. */
bool trace_book_check(const struct trace_scenario *scenario, struct hs_bytes trace);
bool trace_book_cover(const struct trace_scenario *const *lists); /* every rule has a scenario, every file too */

#endif

/* limits.h -- every size that a peer, a client or a record can make us hold, in one place.  PROTOCOL.md, "Limits". */
#ifndef HS_BASE_LIMITS_H
#define HS_BASE_LIMITS_H

/* Records and operations: enforced at the writer, part of the frozen envelope (an op beyond them is void). */
#define HS_FIELD_BYTES_MAX     (16 * 1024)
#define HS_RECORD_BYTES_MAX    (32 * 1024)
#define HS_OP_BYTES_MAX        (64 * 1024)
#define HS_OP_WRITES_MAX       64
#define HS_WRITE_FIELDS_MAX    256
#define HS_FIELD_OVER_MAX      256
#define HS_FIELD_NUMBER_MAX    536870911
#define HS_RECORD_ID_BYTES_MAX 64
#define HS_REQUEST_ID_BYTES    16

/* Segments: closed before the op that would pass either number; a larger op is a segment alone. */
#define HS_SEGMENT_OPS_MAX    256
#define HS_SEGMENT_BYTES_SOFT (16 * 1024)
#define HS_SEGMENT_BYTES_MAX  (HS_OP_BYTES_MAX + 1024)

/* Messages between nodes, and credit. */
#define HS_MESSAGE_BYTES_MAX    (128 * 1024)
#define HS_CREDIT_BYTES_MIN     HS_MESSAGE_BYTES_MAX
#define HS_CREDIT_BYTES_DEFAULT (512 * 1024)
#define HS_LIST_ITEMS_MAX       1000 /* entries of any list in one message between nodes */
#define HS_SCOPE_MAX            256  /* districts of one node */

/* State transfer. */
#define HS_STATES_BYTES_SOFT HS_SEGMENT_BYTES_SOFT /* of a message: an urgent operation waits for one at most */
#define HS_STATES_BYTES_MAX  HS_SEGMENT_BYTES_MAX
#define HS_STATE_BYTES_MAX   (1024 * 1024) /* of one record, over as many messages as it needs */
#define HS_REBUILDING_MS \
    (7 * 24 * 3600 * 1000LL)      /* so long a hub that may have lost something takes states from halls */
#define HS_SUPPLY_STALL_MS 120000 /* who is asked for states and brings nothing for so long is not waited for */
#define HS_FILLS_MAX       ((HS_SCOPE_MAX + 1) * 4) /* (partition, lane) that a node wants at a time */

/* Stores of hubs and witnesses that a node remembers, the gone ones among them. */
#define HS_PEER_STORES_MAX        4096
#define HS_PEER_STORES_OF_KEY_MAX 256

/* Heads beyond what is held that a hub remembers, of all nodes; no node has more of them than are free. */
#define HS_ANNOUNCED_MAX 65536

/* Questions about records of other districts. */
#define HS_ANSWER_RECORDS_MAX 100
#define HS_ANSWER_BYTES_MAX   (96 * 1024)

/* What may be asked in a session: answers that cost no credit come out of a bucket. */
#define HS_QUESTIONS_BYTES         (1024 * 1024) /* at once */
#define HS_QUESTIONS_BYTES_S       (1024 * 1024) /* a second */
#define HS_QUESTION_COST           1024          /* of one, besides the bytes of its answer */
#define HS_QUESTIONS_OPEN_MAX      16            /* about records */
#define HS_QUESTIONS_WAITING_BYTES (64 * 1024)   /* of those that wait for an answer */

/* The local protocol. */
#define HS_REQUEST_BYTES_MAX   (1024 * 1024)
#define HS_REPLY_BYTES_MAX     (4 * 1024 * 1024)
#define HS_REQUEST_RECORDS_MAX 1000 /* records of one put request */
#define HS_PAGE_RECORDS_MAX    1000 /* records of one reply */

/* Trust. */
#define HS_CERTIFICATE_BYTES_MAX 4096
#define HS_OPENING_BYTES_MAX     512
#define HS_REASON_BYTES_MAX      200 /* why a key was revoked, or what it had signed released */
#define HS_PERSON_BYTES_MAX      64  /* who has decided that */
#define HS_RELEASE_HEADS_MAX     256
#define HS_REVOCATION_BYTES_MAX  8192
#define HS_RELEASE_BYTES_MAX     (24 * 1024)
#define HS_REVOCATIONS_MAX       65536 /* revocations and releases of a region */

/* Sealed files. */
#define HS_SEALED_HEADER_BYTES_MAX   (16 * 1024)
#define HS_SEALED_RECIPIENTS_MAX     64
#define HS_SEALED_BLOCK_BYTES        (64 * 1024)       /* before compression */
#define HS_SEALED_ITEM_BYTES_MAX     (2 * 1024 * 1024) /* one row: a base state of the largest record fits */
#define HS_SEALED_MANIFEST_BYTES_MAX (1024 * 1024)

/* Bundles: a part goes through one request of the local protocol, and is applied in one group. */
#define HS_BUNDLE_BYTES_SOFT (256 * 1024)  /* items of a part, before compression: one that passes it is the last */
#define HS_BUNDLE_BYTES_MAX  (1024 * 1024) /* the same, of a part that comes */
#define HS_BUNDLE_PART_MAX   (960 * 1024)  /* a part as a file */

/* Names. */
#define HS_NODE_ID_BYTES_MAX 32
#define HS_REGION_BYTES_MAX  64

#define HS_AMOUNT_FEN_MAX 100000000000LL /* one payment or bill: a billion yuan; sums stay far below 2^63 */

_Static_assert(HS_SEGMENT_BYTES_MAX + 1024 <= HS_MESSAGE_BYTES_MAX, "a segment of the largest op fits a message");
_Static_assert(HS_CREDIT_BYTES_MIN >= HS_SEGMENT_BYTES_MAX, "the least credit lets the largest segment pass");

#endif

/* inspect.h -- open the store that a power cut has left, and hold it against what was promised. */
#ifndef HS_TESTS_POWER_INSPECT_H
#define HS_TESTS_POWER_INSPECT_H

#include "node/link/keys.h"
#include "storage/store.h"
#include "tests/power/expect.h"

/* What another node holds at the same moment, its cache included: it has heard it from this one, or says so. */
struct inspect_peer {
    struct hs_head *heads; /* of streams of the node inspected */
    size_t head_count;
    struct hs_receipt *receipts; /* that the node inspected has signed */
    size_t receipt_count;
};

struct inspect {
    const char *dir;                 /* the image */
    const char *notes;               /* a tmpfs without a note of this store */
    const struct hs_keys *keys;      /* of the node */
    const struct expect *expect;     /* of the hall's clients */
    bool is_hall;                    /* what was acknowledged must be here; at a hub only nothing else may be */
    bool deep;                       /* with signatures, the derived rows, a rebuild and a second start */
    const struct inspect_peer *peer; /* NULL: not compared */
    struct hs_why why;               /* out: of the first thing that is wrong */
    uint64_t store_id;               /* out: 0 if it did not open */
};

/* HS_OK: all is well. */
enum hs_err inspect_image(struct inspect *inspect);

/* Read what the store in @dir holds of the node with this key, and of its receipts. */
enum hs_err inspect_read_peer(const struct inspect *inspect, const struct hs_key *of, struct inspect_peer *peer);
void inspect_peer_fini(struct inspect_peer *peer);

#endif

/* file.h -- the file of samples: where rows and peers lie in it, and what of it is whole.  Inside node/samples/ only.
 */
#ifndef HS_SAMPLES_FILE_H
#define HS_SAMPLES_FILE_H

#include "node/samples/code.h"

enum tier { TIER_SAMPLE, TIER_MINUTE, TIER_HOUR, TIER_COUNT };
struct tier_size {
    uint64_t step_ms;
    size_t rows; /* the newest of them are kept */
};
extern const struct tier_size TIERS[TIER_COUNT];

#define BLOCK_PEERS    64
#define BLOCKS_MAX     (HS_SAMPLES_PEERS_MAX / BLOCK_PEERS)
#define ROW_HEAD_BYTES 16 /* time, checksum */
#define ROW_BYTES      (ROW_HEAD_BYTES + BLOCK_PEERS * SAMPLE_BYTES)

/* What lies behind the row's head: a sample each. */
struct row {
    uint8_t bytes[ROW_BYTES];
};
#define ROW_SAMPLE(row, at) ((row)->bytes + ROW_HEAD_BYTES + (size_t)(at)*SAMPLE_BYTES)

/* A peer that has a place: its samples from @first_ms on are its own. */
struct place {
    char node_id[HS_NODE_ID_BYTES_MAX + 1]; /* empty: nobody's */
    uint64_t first_ms, last_ms;
};

/* HS_ELOCKED...; @state out. */
enum file_state { FILE_NEW, FILE_KNOWN, FILE_STRANGE };
enum hs_err file_open(const char *path, int *fd, enum file_state *state, struct hs_why *why);
enum hs_err file_begin(int fd); /* an empty one */

void file_read_places(int fd, struct place places[static HS_SAMPLES_PEERS_MAX]); /* damaged ones are nobody's */
enum hs_err file_write_place(int fd, size_t at, const struct place *place);

/* The row of that time, a multiple of the tier's step; false: there is none that is whole. */
bool file_read_row(int fd, size_t block, enum tier tier, uint64_t time_ms, struct row *row);
enum hs_err file_write_row(int fd, size_t block, enum tier tier, uint64_t time_ms, struct row *row);
/* The time of the newest sample that is not after now; 0: there is none. */
uint64_t file_last_ms(int fd, size_t block, uint64_t now_ms);

#endif

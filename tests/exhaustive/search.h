/* search.h -- a set of states numbered in the order in which they were reached, each with the state and the move that
 * led to it first.  Reached in breadth, the way back from a state is a shortest one.  Keys are kept whole: two states
 * are one only if they are equal.  Out of memory ends the program. */
#ifndef HS_TESTS_EXHAUSTIVE_SEARCH_H
#define HS_TESTS_EXHAUSTIVE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct search_came {
    uint32_t from;
    uint32_t move;
};

struct search {
    size_t key_bytes; /* a multiple of 4 */
    uint8_t *keys;
    struct search_came *came;
    uint32_t *slots; /* number + 1; 0: free */
    size_t count, room, slot_count;
};

void search_init(struct search *search, size_t key_bytes);
void search_fini(struct search *search);
/* The number of the state, new or not; true if it is new. */
bool search_add(struct search *search, const void *key, struct search_came came, uint32_t *number);
/* Valid until the next search_add. */
const void *search_key(const struct search *search, uint32_t number);
/* The states on the way from state 0 (left out) to this one, in order; returns how many. */
size_t search_way(const struct search *search, uint32_t number, uint32_t *way, size_t most);

/* ---- for all programs of this folder ---- */

/* Say what and end the program with status 2: neither proven nor refuted. */
void give_up(const char *what) __attribute__((noreturn));
/* The word as a number up to @most, else give_up. */
unsigned number_of(const char *name, const char *word, unsigned most);
double seconds_now(void);

#endif

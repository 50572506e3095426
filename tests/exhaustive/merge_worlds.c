/* merge_worlds.c -- every state that a small world of hubs and halls can come to, for storage/model/record.h.
 *
 * The nodes write one record, exchange all that one of them has over a link (or one operation at a time), are set back
 * to an older copy of themselves and go on under a fresh origin.  All states are visited in breadth, equal ones once;
 * nodes of a role are interchangeable and are sorted, while origins are not: each takes every place among the others'
 * numbers, as random ones do.  Node states are not carried along: at every state each node is held against what its set
 * of writes must come to, and each pair (and each pair joined with a third) by every order and join that leads from one
 * to the other; so what a node holds depends on the set alone, or a violation is printed with the shortest way to it.
 *
 * A cut link only forbids exchanges, so cuts lead to no state of their own.  They matter for healing, which is
 * therefore tried at every state under every choice of cut links.
 *
 *   test_merge_worlds [--hubs N] [--halls N] [--writes N] [--rollbacks N] [--cuts N] [--letters LETTERS]
 *                     [--exchange whole|each] [--writers halls|all] [--keep-origin] [--must-fail]
 *
 * LETTERS are rows of book.c.  --keep-origin breaks the rule of fresh origins and must be caught: --must-fail turns the
 * result round. */
#include "tests/exhaustive/book.h"
#include "tests/exhaustive/search.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX  6
#define LINKS_MAX  15
#define CUTS_MAX   4096 /* choices of cut links */
#define WAY_MAX    64
#define NO_COPY    0xff
#define NO_BOOK    UINT32_MAX
#define LABEL_END  64 /* labels lie between 0 and this */
#define PAIR_WORDS (SETS_MAX * SETS_MAX / 64)

struct node {
    uint8_t held;       /* the set of writes */
    uint8_t label;      /* of the origin that it writes under; 0: none is open */
    uint8_t copy;       /* an older state that may come back; NO_COPY: none was taken */
    uint8_t copy_label; /* with its origin */
};

struct world {
    uint32_t book;
    uint8_t rollbacks; /* left */
    uint8_t unused[3];
    struct node nodes[NODES_MAX]; /* hubs, then halls; sorted among themselves */
};

/* A key of the set of books: a book is another one and a write more. */
struct page {
    uint32_t before;
    struct book_write write;
};

/* What was checked of a book already. */
struct checked {
    uint32_t sets;
    uint64_t *pairs; /* bit from * 2^count + to */
};

enum move_kind { WRITE, SEND, SEND_ONE, COPY, RESTORE };
struct move {
    uint8_t kind;
    uint8_t a;      /* node */
    uint8_t b;      /* to node; of WRITE: the place of its fresh origin among the others */
    uint8_t letter; /* of SEND_ONE: the write */
};

static struct {
    unsigned hubs, halls, writes, rollbacks, cuts;
    const char *letters;
    bool each, hubs_write, keep_origin, must_fail;
} asked = {.hubs = 2, .halls = 2, .writes = 3, .rollbacks = 1, .cuts = 1, .letters = "wcx2h", .hubs_write = true};

static unsigned node_count;
static struct {
    uint8_t a, b;
} links[LINKS_MAX];
static unsigned link_count;
static uint16_t cuts[CUTS_MAX]; /* sets of cut links that leave the nodes connected */
static size_t cut_count;

static struct search worlds;
static struct search books;
static struct checked *checked;
static size_t checked_room;
static struct lab lab;
static uint64_t transitions, sets_checked, pairs_checked;

/* ---- books ---- */

static void book_of(uint32_t number, struct book *book)
{
    struct page pages[WRITES_MAX];
    size_t count = 0;
    memset(book, 0, sizeof *book);
    for (; number != 0; number = pages[count++].before)
        memcpy(&pages[count], search_key(&books, number), sizeof *pages);
    for (size_t i = 0; i < count; i++)
        book->writes[i] = pages[count - 1 - i].write;
    book->count = (uint8_t)count;
}

static uint32_t add_book(uint32_t before, const struct book_write *write)
{
    struct page page = {.before = before, .write = *write};
    uint32_t number;
    if (!search_add(&books, &page, (struct search_came){0}, &number))
        return number;
    if (number >= checked_room) {
        checked_room = checked_room == 0 ? 1024 : 2 * checked_room;
        checked = reallocarray(checked, checked_room, sizeof *checked);
        if (checked == NULL)
            give_up("out of memory; ask for a smaller world");
    }
    checked[number] = (struct checked){0};
    return number;
}

static bool pair_was_checked(uint32_t number, unsigned from, unsigned to)
{
    struct checked *done = &checked[number];
    size_t bit = from * SETS_MAX + to;
    if (done->pairs == NULL)
        done->pairs = calloc(PAIR_WORDS, sizeof *done->pairs);
    if (done->pairs == NULL)
        give_up("out of memory; ask for a smaller world");
    bool was = (done->pairs[bit / 64] >> bit % 64 & 1) != 0;
    done->pairs[bit / 64] |= UINT64_C(1) << bit % 64;
    return was;
}

static bool check_set(uint32_t number, unsigned set)
{
    struct book book;
    if ((checked[number].sets >> set & 1) != 0)
        return true;
    checked[number].sets |= 1U << set;
    sets_checked++;
    book_of(number, &book);
    lab_load(&lab, &book);
    return lab_check_set(&lab, set);
}

static bool check_pair(uint32_t number, unsigned from, unsigned to)
{
    struct book book;
    if (pair_was_checked(number, from, to))
        return true;
    pairs_checked++;
    book_of(number, &book);
    lab_load(&lab, &book);
    return lab_check_pair(&lab, from, to);
}

/* ---- checks of a world ---- */

static bool heal(const struct world *world, uint16_t cut)
{
    uint8_t held[NODES_MAX];
    unsigned promised = 0; /* what hubs have signed for */
    bool changed = true;
    for (size_t i = 0; i < node_count; i++) {
        held[i] = world->nodes[i].held;
        promised |= i < asked.hubs ? held[i] : 0U;
    }
    while (changed) {
        changed = false;
        for (size_t l = 0; l < link_count; l++) {
            uint8_t *a = &held[links[l].a];
            uint8_t *b = &held[links[l].b];
            if ((cut >> l & 1) != 0 || *a == *b)
                continue;
            if (!check_pair(world->book, *a, *b) || !check_pair(world->book, *b, *a))
                return false;
            *a = *b = *a | *b;
            changed = true;
        }
    }
    for (size_t i = 0; i < node_count; i++) {
        if (held[i] != held[0])
            return lab_flaw(&lab, "the nodes are not equal after all links that are left were used");
        if ((promised & ~(unsigned)held[i]) != 0)
            return lab_flaw(&lab, "a node lacks what a hub has signed for");
    }
    return check_set(world->book, held[0]);
}

static bool check_world(const struct world *world)
{
    for (size_t i = 0; i < node_count; i++) {
        if (!check_set(world->book, world->nodes[i].held))
            return false;
    }
    for (size_t i = 0; i < node_count; i++) {
        for (size_t j = 0; j < node_count; j++) {
            unsigned a = world->nodes[i].held;
            unsigned b = world->nodes[j].held;
            if (!check_pair(world->book, a, b))
                return false;
            /* (a + b) + c is the state of all three, so joins associate. */
            for (size_t k = 0; i < j && k < node_count; k++) {
                if (!check_pair(world->book, a | b, world->nodes[k].held))
                    return false;
            }
        }
    }
    for (size_t i = 0; i < cut_count; i++) {
        if (!heal(world, cuts[i]))
            return false;
    }
    return true;
}

/* ---- moves ---- */

/* The number of a fresh origin: the @rank-th gap between those that are there; 0: no such gap. */
static uint8_t fresh_label(const struct book *book, unsigned rank)
{
    uint8_t below = 0;
    for (;;) {
        uint8_t above = LABEL_END;
        for (size_t i = 0; i < book->count; i++) {
            uint8_t label = book->writes[i].label;
            above = label > below && label < above ? label : above;
        }
        if (rank-- == 0)
            return (uint8_t)(below + (above - below) / 2);
        if (above == LABEL_END)
            return 0;
        below = above;
    }
}

static uint8_t last_of_others(const struct book *book, uint8_t label)
{
    unsigned last = 0;
    for (size_t i = 0; i < book->count; i++) {
        bool is_last = book->writes[i].label != label;
        for (size_t j = i + 1; j < book->count && is_last; j++)
            is_last = book->writes[j].label != book->writes[i].label;
        last |= is_last ? 1U << i : 0;
    }
    return (uint8_t)last;
}

static struct book_write draft(const struct book *book, const struct node *node, uint8_t label, char code)
{
    const struct book_letter *letter = book_letter(code);
    struct book_write write = {.label = label, .letter = code, .seen = node->held, .n = 1};
    uint8_t highest = 0;
    for (size_t i = 0; i < book->count; i++) {
        const struct book_write *old = &book->writes[i];
        if ((node->held >> i & 1) == 0)
            continue;
        write.n = old->label == label && old->n >= write.n ? old->n + 1 : write.n;
        highest = old->stamp > highest ? old->stamp : highest;
    }
    write.stamp = letter->old_clock ? 1 : highest + 1;
    for (unsigned f = 0; f < FIELDS; f++) {
        if ((letter->fields >> f & 1) != 0 && letter->over_seen)
            write.over[f] = (uint8_t)lab_live(&lab, node->held, f);
        if ((letter->fields >> f & 1) != 0 && letter->over_unseen)
            write.over[f] = last_of_others(book, label);
    }
    return write;
}

static bool do_write(struct world *world, const struct move *move)
{
    struct node *node = &world->nodes[move->a];
    struct book book;
    book_of(world->book, &book);
    if (book.count == asked.writes || (node->label != 0 && move->b != 0))
        return false;
    uint8_t label = node->label != 0 ? node->label : fresh_label(&book, move->b);
    if (label == 0)
        return false;
    lab_load(&lab, &book);
    struct book_write write = draft(&book, node, label, (char)move->letter);
    world->book = add_book(world->book, &write);
    node->label = label;
    node->held |= (uint8_t)(1U << book.count);
    return true;
}

/* The first write of each stream that the other lacks. */
static bool may_send(const struct world *world, const struct move *move)
{
    struct book book;
    unsigned missing = world->nodes[move->a].held & ~(unsigned)world->nodes[move->b].held;
    if ((missing >> move->letter & 1) == 0)
        return false;
    book_of(world->book, &book);
    for (size_t i = 0; i < move->letter; i++) {
        if ((missing >> i & 1) != 0 && book.writes[i].label == book.writes[move->letter].label)
            return false;
    }
    return true;
}

static bool do_copy(struct world *world, struct node *node)
{
    size_t copies = 0;
    for (size_t i = 0; i < node_count; i++)
        copies += world->nodes[i].copy != NO_COPY;
    if (node->copy != NO_COPY || copies >= world->rollbacks)
        return false;
    node->copy = node->held;
    node->copy_label = node->label;
    return true;
}

static bool do_restore(struct world *world, struct node *node)
{
    if (node->copy == NO_COPY || world->rollbacks == 0)
        return false;
    node->held = node->copy;
    node->label = asked.keep_origin ? node->copy_label : 0;
    world->rollbacks--;
    if (world->rollbacks == 0)
        node->copy = NO_COPY;
    return true;
}

/* False: there is no such move. */
static bool make_move(struct world *world, const struct move *move)
{
    struct node *a = &world->nodes[move->a];
    struct node *b = &world->nodes[move->b];
    switch (move->kind) {
    case WRITE:
        return do_write(world, move);
    case SEND:
        if ((a->held & ~b->held) == 0)
            return false;
        b->held |= a->held;
        return true;
    case SEND_ONE:
        if (!may_send(world, move))
            return false;
        b->held |= (uint8_t)(1U << move->letter);
        return true;
    case COPY:
        return do_copy(world, a);
    default:
        return do_restore(world, a);
    }
}

/* Nodes of one role into the order of their states; @names follow them. */
static void sort_nodes(struct world *world, uint8_t names[static NODES_MAX])
{
    for (size_t i = 1; i < node_count; i++) {
        for (size_t j = i; j > 0 && j != asked.hubs; j--) {
            if (memcmp(&world->nodes[j - 1], &world->nodes[j], sizeof *world->nodes) <= 0)
                break;
            struct node node = world->nodes[j];
            uint8_t name = names[j];
            world->nodes[j] = world->nodes[j - 1];
            world->nodes[j - 1] = node;
            names[j] = names[j - 1];
            names[j - 1] = name;
        }
    }
}

/* ---- the search ---- */

static uint32_t pack(const struct move *move)
{
    return (uint32_t)move->kind << 24 | (uint32_t)move->a << 16 | (uint32_t)move->b << 8 | move->letter;
}

static struct move unpack(uint32_t packed)
{
    return (struct move){(uint8_t)(packed >> 24), (uint8_t)(packed >> 16), (uint8_t)(packed >> 8), (uint8_t)packed};
}

/* False: there is no such move. */
static bool try_move(const struct world *world, uint32_t number, struct move move)
{
    struct world next = *world;
    uint8_t names[NODES_MAX] = {0};
    uint32_t reached;
    if (!make_move(&next, &move))
        return false;
    sort_nodes(&next, names);
    search_add(&worlds, &next, (struct search_came){number, pack(&move)}, &reached);
    transitions++;
    return true;
}

static void try_writes(const struct world *world, uint32_t number, uint8_t node)
{
    for (const char *letter = asked.letters; *letter != '\0'; letter++) {
        uint8_t rank = 0;
        while (try_move(world, number, (struct move){WRITE, node, rank, (uint8_t)*letter}))
            rank++;
    }
}

static void try_sends(const struct world *world, uint32_t number, uint8_t from, uint8_t to)
{
    if (!asked.each) {
        try_move(world, number, (struct move){SEND, from, to, 0});
        return;
    }
    for (uint8_t i = 0; i < asked.writes; i++)
        try_move(world, number, (struct move){SEND_ONE, from, to, i});
}

static void try_all(const struct world *world, uint32_t number)
{
    for (uint8_t i = 0; i < node_count; i++) {
        if (i >= asked.hubs || asked.hubs_write)
            try_writes(world, number, i);
        try_move(world, number, (struct move){COPY, i, 0, 0});
        try_move(world, number, (struct move){RESTORE, i, 0, 0});
    }
    for (size_t l = 0; l < link_count; l++) {
        try_sends(world, number, links[l].a, links[l].b);
        try_sends(world, number, links[l].b, links[l].a);
    }
}

static struct world first_world(void)
{
    struct world world = {.rollbacks = (uint8_t)asked.rollbacks};
    for (size_t i = 0; i < node_count; i++)
        world.nodes[i].copy = NO_COPY;
    return world;
}

static bool explore(uint32_t *violation)
{
    struct world world = first_world();
    uint32_t number;
    search_add(&worlds, &world, (struct search_came){0}, &number);
    for (number = 0; number < worlds.count; number++) {
        memcpy(&world, search_key(&worlds, number), sizeof world);
        if (!check_world(&world)) {
            *violation = number;
            return false;
        }
        try_all(&world, number);
    }
    return true;
}

/* ---- prose ---- */

static const char *node_name(uint8_t name)
{
    static const char *const HUBS[NODES_MAX] = {"hub-1", "hub-2", "hub-3", "hub-4", "hub-5", "hub-6"};
    static const char *const HALLS[NODES_MAX] = {"hall-a", "hall-b", "hall-c", "hall-d", "hall-e", "hall-f"};
    return name < asked.hubs ? HUBS[name] : HALLS[name - asked.hubs];
}

static void tell_write(const struct world *before, const struct world *after, const struct move *move, const char *who)
{
    struct book book;
    char seen[SET_TEXT_BYTES];
    char over[SET_TEXT_BYTES];
    book_of(after->book, &book);
    size_t i = book.count - 1U;
    const struct book_write *write = &book.writes[i];
    printf("%s, holding %s, writes %s: %s", who, book_set(write->seen, seen), book_name(i),
           book_letter(write->letter)->prose);
    if ((write->over[0] | write->over[1]) != 0)
        printf(", naming %s", book_set(write->over[0] | write->over[1], over));
    printf(" (origin %u%s, n %u, stamp %u)", write->label, before->nodes[move->a].label == 0 ? ", fresh" : "", write->n,
           write->stamp);
}

static void tell(const struct world *before, const struct world *after, const struct move *move, const uint8_t *names)
{
    const char *a = node_name(names[move->a]);
    char set[SET_TEXT_BYTES];
    switch (move->kind) {
    case WRITE:
        tell_write(before, after, move, a);
        break;
    case SEND:
        printf("%s -> %s, which then holds %s", a, node_name(names[move->b]),
               book_set(after->nodes[move->b].held, set));
        break;
    case SEND_ONE:
        printf("%s -> %s: %s only", a, node_name(names[move->b]), book_name(move->letter));
        break;
    case COPY:
        printf("%s is copied, holding %s", a, book_set(before->nodes[move->a].held, set));
        break;
    default:
        printf("%s is set back to its copy and holds %s", a, book_set(after->nodes[move->a].held, set));
    }
}

static void tell_way(uint32_t number)
{
    uint32_t way[WAY_MAX];
    uint8_t names[NODES_MAX] = {0, 1, 2, 3, 4, 5};
    size_t count = search_way(&worlds, number, way, WAY_MAX);
    struct world world = first_world();
    for (size_t i = 0; i < count; i++) {
        struct world before = world;
        struct move move = unpack(worlds.came[way[i]].move);
        if (!make_move(&world, &move))
            give_up("a move of the way cannot be repeated");
        printf("  %zu. ", i + 1);
        tell(&before, &world, &move, names);
        printf(";\n");
        sort_nodes(&world, names);
    }
}

/* ---- the program ---- */

static bool is_connected(unsigned cut)
{
    unsigned reached = 1;
    for (size_t round = 0; round < node_count; round++) {
        for (size_t l = 0; l < link_count; l++) {
            unsigned ends = 1U << links[l].a | 1U << links[l].b;
            if ((cut >> l & 1) == 0 && (reached & ends) != 0)
                reached |= ends;
        }
    }
    return reached == (1U << node_count) - 1;
}

static void lay_links(void)
{
    for (uint8_t a = 0; a < asked.hubs; a++) {
        for (uint8_t b = a + 1; b < node_count; b++) {
            links[link_count].a = a;
            links[link_count++].b = b;
        }
    }
    for (unsigned cut = 0; cut < 1U << link_count; cut++) {
        if ((unsigned)__builtin_popcount(cut) > asked.cuts || !is_connected(cut))
            continue;
        if (cut_count == CUTS_MAX)
            give_up("too many choices of cut links");
        cuts[cut_count++] = (uint16_t)cut;
    }
}

static void read_switch(int option, const char *word)
{
    switch (option) {
    case 'e':
        asked.each = strcmp(word, "each") == 0;
        break;
    case 'o':
        asked.hubs_write = strcmp(word, "halls") != 0;
        break;
    case 'k':
        asked.keep_origin = true;
        break;
    case 'f':
        asked.must_fail = true;
        break;
    case 'l':
        asked.letters = word;
        break;
    default:
        give_up("wrong usage; the head of merge_worlds.c has it");
    }
}

static void read_options(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"hubs", required_argument, NULL, 0},
        {"halls", required_argument, NULL, 1},
        {"writes", required_argument, NULL, 2},
        {"rollbacks", required_argument, NULL, 3},
        {"cuts", required_argument, NULL, 4},
        {"letters", required_argument, NULL, 'l'},
        {"exchange", required_argument, NULL, 'e'},
        {"writers", required_argument, NULL, 'o'},
        {"keep-origin", no_argument, NULL, 'k'},
        {"must-fail", no_argument, NULL, 'f'},
        {NULL, 0, NULL, 0},
    };
    unsigned *const numbers[] = {&asked.hubs, &asked.halls, &asked.writes, &asked.rollbacks, &asked.cuts};
    static const unsigned MOST[] = {NODES_MAX, NODES_MAX, WRITES_MAX, 3, LINKS_MAX};
    for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (option >= 0 && option < 5)
            *numbers[option] = number_of(OPTIONS[option].name, optarg, MOST[option]);
        else
            read_switch(option, optarg);
    }
    node_count = asked.hubs + asked.halls;
    if (optind != argc || asked.hubs == 0 || node_count > NODES_MAX)
        give_up("wrong usage: one hub at least, six nodes at most");
    for (const char *letter = asked.letters; *letter != '\0'; letter++) {
        if (book_letter(*letter) == NULL)
            give_up("wrong usage: no such letter; book.c has them");
    }
}

int main(int argc, char **argv)
{
    uint32_t violation = 0;
    uint32_t way[WAY_MAX];
    double start = seconds_now();
    read_options(argc, argv);
    lay_links();
    lab_init(&lab);
    search_init(&worlds, sizeof(struct world));
    search_init(&books, sizeof(struct page));
    add_book(NO_BOOK, &(struct book_write){0});
    bool sound = explore(&violation);
    if (!sound) {
        printf("violation:\n");
        tell_way(violation);
        printf("  then: %s.\n", lab.flaw);
    }
    size_t depth = search_way(&worlds, sound ? (uint32_t)worlds.count - 1 : violation, way, WAY_MAX);
    printf("%u hubs, %u halls, %u writes of '%s', %u rollbacks, %u cuts: %zu states, %llu transitions, depth %zu; "
           "%zu books, %llu sets, %llu pairs checked; %.1f s\n",
           asked.hubs, asked.halls, asked.writes, asked.letters, asked.rollbacks, asked.cuts, worlds.count,
           (unsigned long long)transitions, depth, books.count, (unsigned long long)sets_checked,
           (unsigned long long)pairs_checked, seconds_now() - start);
    for (size_t i = 0; i < books.count; i++)
        free(checked[i].pairs);
    free(checked);
    search_fini(&worlds);
    search_fini(&books);
    lab_fini(&lab);
    return sound != asked.must_fail ? 0 : 1;
}

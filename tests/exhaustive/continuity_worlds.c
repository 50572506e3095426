/* continuity_worlds.c -- no (origin, n) leaves a machine with two contents: every interleaving of commit, note, kill,
 * restore, copy, reboot, full disk and start, for the rule of storage/log/continuity.h.
 *
 * A store is the commit that its data file stands at; commits form a tree, for a store that is set back goes on
 * elsewhere than before.  Any commit may be put back at any place while nothing runs there: into the same file or as
 * another one.  There are three places: the hall's directory, a second one beside it, and one on another machine.  What
 * a process does, and in which order, is what storage/log/log.c and group.c do: a start that doubts empties the note
 * and strikes the origin out in a commit (on a full disk in memory only), any other rewrites the note; a commit is
 * shown behind its note, and here at once, for showing enables and prevents nothing.  Whether a start doubts is asked
 * of hs_note_doubt itself, over real notes on a tmpfs, and held against the rule in this program's words.
 *
 * What the rule cannot prevent is left out, and kept as "--weak window": a process is killed between a commit and its
 * note, that state is copied before the next start, the state of the note is put back and goes on, and later the copy
 * is used.
 *
 *   test_continuity_worlds [--commits N] [--restores N] [--places N] [--weak RULE]
 *
 * With --weak one part of the rule is left out, and the search must find what it is there for: it fails if not. */
#include "tests/exhaustive/search.h"

#include "storage/log/continuity.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMITS_MAX 8
#define PLACES      3
#define MACHINES    2
#define FILES       2 /* inodes that a place may have in turn */
#define WAY_MAX     64
#define NONE        0xff
#define STORE_ID    0x5afeULL
#define SKIPPED     77

enum { MADE, OP, OTHER, STRIKE };
struct commit {
    uint8_t parent;
    uint8_t kind;
    uint8_t origin; /* the current one behind it: 1 + the commit that opened it; 0: none */
    uint8_t n;      /* its last number */
};

enum { OFF, COMMITTED, READY, STALE }; /* STALE: runs on a full disk, its origin struck out in memory only */
struct place {
    uint8_t disk; /* the commit that its file stands at; NONE: no store */
    uint8_t file; /* which of its inodes */
    uint8_t phase;
    uint8_t keeps_note; /* the process has the lock */
};

struct note {
    uint8_t commit; /* NONE: there is none */
    uint8_t place;  /* with file: the inode that it names */
    uint8_t file;
    uint8_t origin;
};

struct world {
    struct commit commits[COMMITS_MAX];
    struct place places[PLACES];
    struct note notes[MACHINES];
    uint8_t count;    /* of commits */
    uint8_t left;     /* set of the commits whose op has left a machine */
    uint8_t restores; /* left to be made */
    uint8_t calm;     /* nothing but kills has happened */
    uint8_t settled;  /* set of the commits that their process, or the next one, had the note written of */
    uint8_t unused[3];
};
_Static_assert(sizeof(struct world) % 4 == 0, "a key of the search");

enum move_kind { START, START_FULL, WRITE, RECEIVE, NOTE, NOTE_FAILS, KILL, REBOOT, PUT_BACK, PUT_NEW };
struct move {
    uint8_t kind;
    uint8_t place;
    uint8_t commit; /* put back; of REBOOT: what is left on a disk that lied */
};

static const struct weak_rule {
    const char *name;
    const char *prose;
} WEAK[] = {
    {"origin", "the origin is not compared"},
    {"file", "the file is not compared, and two processes may keep one note"},
    {"show", "a commit is shown before its note is written"},
    {"rewrite", "a start that found everything right leaves the note as it was"},
    {"strike", "a start that doubts strikes the origin out in memory only and writes its note"},
    {"window", "a copy may be of a store whose process died between commit and note"},
    {"void", "a note that is doubted stays what it is until the strike is noted"},
    {"tmpfs", "the note lies on the disk and is set back with it"},
    {NULL, NULL},
};
static const char *weak = "";

static unsigned commits_most = 4;
static unsigned restores_most = 2;
static unsigned places = PLACES; /* of them, the first so many */
static struct search worlds;
static struct search asked; /* the questions put to hs_note_doubt, ... */
static bool *answers;       /* ...and what it said; by number */
static size_t answers_room;
static uint64_t transitions, proven;
static char flaw[256];

static char base[64];
static char note_dirs[MACHINES][80];
static int data_fds[PLACES][FILES];

static bool is_weak(const char *part)
{
    return strcmp(weak, part) == 0;
}

static size_t machine_of(size_t place)
{
    return place == PLACES - 1 ? 1 : 0;
}

/* ---- commits ---- */

static uint64_t number_at(const struct world *world, uint8_t commit)
{
    uint64_t number = 1;
    for (uint8_t at = commit; world->commits[at].parent != NONE; at = world->commits[at].parent)
        number++;
    return number;
}

static struct hs_position position_of(const struct world *world, uint8_t commit)
{
    if (commit == NONE)
        return (struct hs_position){0, 0};
    return (struct hs_position){number_at(world, commit), 0x1000 + commit * 77U};
}

/* What a peer or a client is shown: all that the store holds. */
static void show(struct world *world, const struct place *place)
{
    world->settled |= place->phase != COMMITTED ? (uint8_t)(1U << place->disk) : 0;
    for (uint8_t at = place->disk; at != NONE; at = world->commits[at].parent)
        world->left |= world->commits[at].kind == OP ? (uint8_t)(1U << at) : 0;
    for (uint8_t a = 0; a < world->count; a++) {
        for (uint8_t b = 0; b < a; b++) {
            const struct commit *left = &world->commits[a];
            const struct commit *right = &world->commits[b];
            bool both = (world->left >> a & 1) != 0 && (world->left >> b & 1) != 0;
            if (both && left->origin == right->origin && left->n == right->n)
                snprintf(flaw, sizeof flaw, "number %u of origin o%u has left with two contents: commits c%u and c%u",
                         left->n, left->origin, b, a);
        }
    }
}

/* False: no commit is left for this world. */
static bool add_commit(struct world *world, struct place *place, uint8_t kind)
{
    const struct commit *last = &world->commits[place->disk];
    struct commit next = {.parent = place->disk, .kind = kind, .origin = last->origin, .n = last->n};
    if (world->count == commits_most)
        return false;
    if (kind == STRIKE || place->phase == STALE) {
        next.origin = 0;
        next.n = 0;
    }
    if (kind == OP && next.origin == 0) {
        next.origin = world->count + 1;
        next.n = 0;
    }
    next.n += kind == OP;
    world->commits[world->count] = next;
    place->disk = world->count++;
    place->phase = COMMITTED;
    if (is_weak("show"))
        show(world, place);
    return true;
}

/* ---- the rule ---- */

struct question {
    struct hs_position note, last, before;
    uint8_t note_place, note_file, note_origin, has_note;
    uint8_t place, file, origin, locked;
};
_Static_assert(sizeof(struct question) == 3 * sizeof(struct hs_position) + 8, "a key of the search: no gaps");

static struct hs_note *open_note(size_t machine, size_t place, size_t file)
{
    struct hs_note *note;
    if (hs_note_open(note_dirs[machine], STORE_ID, data_fds[place][file], &note) != HS_OK)
        give_up("out of memory");
    return note;
}

/* Put a note where the question has one, and ask. */
static bool ask(const struct question *question)
{
    struct hs_note_claim claim = {question->last, question->before, question->origin};
    size_t machine = machine_of(question->place);
    struct hs_note *note = open_note(machine, question->note_place, question->note_file);
    hs_note_drop(note);
    hs_note_close(note);
    note = open_note(machine, question->note_place, question->note_file);
    if (question->has_note != 0 && hs_note_write(note, &question->note, question->note_origin) != HS_OK)
        give_up("a note cannot be written");
    if (question->locked == 0)
        hs_note_close(note);
    struct hs_note *own = open_note(machine, question->place, question->file);
    bool continuous = hs_note_doubt(own, &claim) == NULL;
    hs_note_close(own);
    if (question->locked != 0)
        hs_note_close(note);
    return continuous;
}

static bool same_commit(const struct hs_position *note, const struct hs_position *position)
{
    return position->commit != 0 && note->commit == position->commit && note->tag == position->tag;
}

/* The rule in other words, or with a part left out. */
static bool own_rule(const struct question *question)
{
    bool same_file = question->note_place == question->place && question->note_file == question->file;
    return (question->locked == 0 || is_weak("file")) && question->has_note != 0 && (same_file || is_weak("file")) &&
           (same_commit(&question->note, &question->last) || same_commit(&question->note, &question->before)) &&
           (question->note_origin == question->origin || is_weak("origin"));
}

static bool real_rule(const struct question *question)
{
    uint32_t number;
    if (search_add(&asked, question, (struct search_came){0}, &number)) {
        if (number >= answers_room) {
            answers_room = answers_room == 0 ? 1024 : 2 * answers_room;
            answers = reallocarray(answers, answers_room, sizeof *answers);
            if (answers == NULL)
                give_up("out of memory; ask for a smaller world");
        }
        answers[number] = ask(question);
    }
    return answers[number];
}

static void compare(const struct question *question)
{
    bool answer = own_rule(question);
    if (real_rule(question) != answer)
        snprintf(flaw, sizeof flaw, "hs_note_doubt %s what should %s", answer ? "doubts" : "takes for proven",
                 answer ? "be proven" : "be doubted");
}

/* Also what no world of this size can come to ask: every choice of three commits and a twin of one, of two files and
 * two origins, with and without the lock. */
static bool ask_all(void)
{
    static const struct hs_position POSITIONS[] = {{4, 44}, {5, 55}, {6, 66}, {5, 99}, {0, 0}};
    for (unsigned k = 0; k < 5 * 5 * 5 * 2 * 2 * 2 * 2; k++) {
        struct question question;
        memset(&question, 0, sizeof question);
        question.note = POSITIONS[k % 5];
        question.last = POSITIONS[k / 5 % 5];
        question.before = POSITIONS[k / 25 % 5];
        question.note_file = k / 125 % 2;
        question.file = k / 250 % 2;
        question.note_origin = 2;
        question.origin = 2 + k / 500 % 2;
        question.locked = k / 1000 % 2;
        question.has_note = question.note.commit != 0;
        compare(&question);
        if (flaw[0] != '\0') {
            printf("of note %llu, last %llu and the one before %llu (%s file, %s origin%s): %s\n",
                   (unsigned long long)question.note.tag, (unsigned long long)question.last.tag,
                   (unsigned long long)question.before.tag, question.note_file == question.file ? "one" : "another",
                   question.origin == 2 ? "one" : "another", question.locked != 0 ? ", locked" : "", flaw);
            return false;
        }
    }
    return true;
}

static bool note_is_locked(const struct world *world, size_t machine)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (machine_of(i) == machine && world->places[i].keeps_note != 0)
            return true;
    }
    return false;
}

static bool is_continuous(const struct world *world, uint8_t at)
{
    const struct place *place = &world->places[at];
    const struct note *note = &world->notes[machine_of(at)];
    struct question question;
    memset(&question, 0, sizeof question);
    question.last = position_of(world, place->disk);
    question.before = position_of(world, world->commits[place->disk].parent);
    question.place = at;
    question.file = place->file;
    question.origin = world->commits[place->disk].origin;
    question.locked = note_is_locked(world, machine_of(at));
    question.note_place = at;
    question.note_file = place->file;
    if (note->commit != NONE) {
        question.has_note = 1;
        question.note = position_of(world, note->commit);
        question.note_place = note->place;
        question.note_file = note->file;
        question.note_origin = note->origin;
    }
    if (weak[0] == '\0')
        compare(&question);
    return own_rule(&question);
}

/* ---- moves ---- */

static void write_note(struct world *world, uint8_t at)
{
    const struct place *place = &world->places[at];
    if (place->keeps_note != 0)
        world->notes[machine_of(at)] = (struct note){place->disk, at, place->file, world->commits[place->disk].origin};
}

/* Killed between such a commit and its note, a node gives its new origin up: the note still names the one before. */
static bool opened_origin(const struct world *world, uint8_t commit)
{
    return world->commits[commit].origin == commit + 1;
}

/* storage/log/log.c, enter(). */
static bool start(struct world *world, uint8_t at, bool disk_full)
{
    struct place *place = &world->places[at];
    bool doubted = world->commits[place->disk].origin != 0 && !is_continuous(world, at);
    if (disk_full && !doubted)
        return false; /* nothing to be written: as any other start */
    if (doubted && world->calm != 0 && weak[0] == '\0' && !opened_origin(world, place->disk))
        snprintf(flaw, sizeof flaw, "an origin is given up though the process was only killed");
    proven += !doubted && world->commits[place->disk].origin != 0;
    place->keeps_note = !note_is_locked(world, machine_of(at)) || is_weak("file");
    if (doubted && place->keeps_note != 0 && !is_weak("void"))
        world->notes[machine_of(at)] = (struct note){.commit = NONE};
    if (doubted && !disk_full && !is_weak("strike"))
        return add_commit(world, place, STRIKE);
    place->phase = doubted ? STALE : READY;
    if (doubted ? is_weak("strike") : !is_weak("rewrite"))
        write_note(world, at);
    show(world, place);
    return true;
}

static void stop(struct place *place)
{
    place->phase = OFF;
    place->keeps_note = 0;
}

static bool is_ancestor(const struct world *world, uint8_t commit, uint8_t of)
{
    for (uint8_t at = world->commits[of].parent; at != NONE; at = world->commits[at].parent) {
        if (at == commit)
            return true;
    }
    return false;
}

/* The power goes, and with it the tmpfs; the disk of one place may have lied about what it kept. */
static bool reboot(struct world *world, const struct move *move)
{
    size_t machine = machine_of(move->place);
    struct place *liar = &world->places[move->place];
    struct note *note = &world->notes[machine];
    if (move->commit != NONE) {
        if (liar->disk == NONE || world->restores == 0 || !is_ancestor(world, move->commit, liar->disk))
            return false;
        liar->disk = move->commit;
        world->restores--;
    }
    *note = (struct note){.commit = NONE};
    if (is_weak("tmpfs") && move->commit != NONE)
        *note = (struct note){liar->disk, move->place, liar->file, world->commits[liar->disk].origin};
    for (size_t i = 0; i < PLACES; i++) {
        if (machine_of(i) == machine)
            stop(&world->places[i]);
    }
    world->calm = 0;
    return true;
}

static bool put_back(struct world *world, const struct move *move)
{
    struct place *place = &world->places[move->place];
    bool exists = move->commit < world->count && ((world->settled >> move->commit & 1) != 0 || is_weak("window"));
    if (place->phase != OFF || world->restores == 0 || !exists)
        return false;
    if (move->kind == PUT_NEW)
        place->file = (place->file + 1U) % FILES;
    place->disk = move->commit;
    world->restores--;
    world->calm = 0;
    return true;
}

static bool fail_note(struct world *world, const struct move *move)
{
    struct place *place = &world->places[move->place];
    if (place->keeps_note == 0)
        return false;
    world->notes[machine_of(move->place)] = (struct note){.commit = NONE};
    world->calm = 0;
    stop(place);
    return true;
}

static bool take_note(struct world *world, uint8_t at)
{
    write_note(world, at);
    world->places[at].phase = READY;
    show(world, &world->places[at]);
    return true;
}

/* False: there is no such move. */
static bool make_move(struct world *world, const struct move *move)
{
    struct place *place = &world->places[move->place];
    bool runs = place->phase == READY || place->phase == STALE;
    switch (move->kind) {
    case START:
    case START_FULL:
        return place->phase == OFF && place->disk != NONE && start(world, move->place, move->kind == START_FULL);
    case WRITE:
        return runs && add_commit(world, place, OP);
    case RECEIVE:
        return runs && add_commit(world, place, OTHER);
    case NOTE:
        return place->phase == COMMITTED && take_note(world, move->place);
    case NOTE_FAILS:
        return place->phase == COMMITTED && fail_note(world, move);
    case KILL:
        if (place->phase == OFF)
            return false;
        stop(place);
        return true;
    case REBOOT:
        return reboot(world, move);
    default:
        return put_back(world, move);
    }
}

/* ---- the search ---- */

static uint32_t pack(struct move move)
{
    return (uint32_t)move.kind << 16 | (uint32_t)move.place << 8 | move.commit;
}

static struct move unpack(uint32_t packed)
{
    return (struct move){(uint8_t)(packed >> 16), (uint8_t)(packed >> 8), (uint8_t)packed};
}

/* False: what it leads to must not be; its number is @reached. */
static bool try_move(const struct world *world, uint32_t number, struct move move, uint32_t *reached)
{
    struct world next = *world;
    if (!make_move(&next, &move))
        return true;
    transitions++;
    search_add(&worlds, &next, (struct search_came){number, pack(move)}, reached);
    return flaw[0] == '\0';
}

static bool try_place(const struct world *world, uint32_t number, uint8_t place, uint32_t *reached)
{
    for (uint8_t kind = START; kind <= REBOOT; kind++) {
        if (!try_move(world, number, (struct move){kind, place, NONE}, reached))
            return false;
    }
    for (uint8_t kind = REBOOT; kind <= PUT_NEW; kind++) {
        for (uint8_t commit = 0; commit < world->count; commit++) {
            if (!try_move(world, number, (struct move){kind, place, commit}, reached))
                return false;
        }
    }
    return true;
}

static struct world first_world(void)
{
    struct world world;
    memset(&world, 0, sizeof world);
    world.commits[0] = (struct commit){.parent = NONE, .kind = MADE};
    world.count = 1;
    for (size_t i = 1; i < PLACES; i++)
        world.places[i].disk = NONE;
    world.notes[1].commit = NONE;
    world.restores = (uint8_t)restores_most;
    world.calm = 1;
    world.settled = 1;
    return world;
}

static bool explore(uint32_t *reached)
{
    struct world world = first_world();
    search_add(&worlds, &world, (struct search_came){0}, reached);
    for (uint32_t number = 0; number < worlds.count; number++) {
        memcpy(&world, search_key(&worlds, number), sizeof world);
        for (uint8_t place = 0; place < places; place++) {
            if (!try_place(&world, number, place, reached))
                return false;
        }
    }
    *reached = (uint32_t)worlds.count - 1;
    return true;
}

/* ---- prose ---- */

static void tell_commit(const struct world *world, uint8_t at)
{
    const struct commit *commit = &world->commits[at];
    if (commit->kind == OP)
        printf("commits c%u behind c%u, with number %u of origin o%u", at, commit->parent, commit->n, commit->origin);
    else
        printf("commits c%u behind c%u, %s", at, commit->parent,
               commit->kind == STRIKE ? "which strikes the origin out" : "with nothing of its own");
}

static void tell(const struct world *before, const struct world *after, const struct move *move)
{
    static const char *const WHERE[PLACES] = {"the hall", "the copy beside it", "the copy elsewhere"};
    const char *who = WHERE[move->place];
    const struct place *place = &after->places[move->place];
    switch (move->kind) {
    case START:
    case START_FULL:
        printf("%s starts%s", who, move->kind == START_FULL ? " on a full disk" : "");
        if (place->disk != before->places[move->place].disk) {
            printf(", doubts and ");
            tell_commit(after, place->disk);
        } else {
            printf(" at c%u%s", place->disk,
                   place->phase == STALE ? ", doubts, and gives its origin up in memory" : "");
        }
        break;
    case WRITE:
    case RECEIVE:
        printf("%s ", who);
        tell_commit(after, place->disk);
        break;
    case NOTE:
        printf("%s writes the note of c%u and shows it", who, place->disk);
        break;
    case NOTE_FAILS:
        printf("%s cannot write the note of c%u, and ends", who, place->disk);
        break;
    case KILL:
        printf("%s is killed", who);
        break;
    case REBOOT:
        printf("the machine of %s loses power", who);
        if (move->commit != NONE)
            printf(", and its disk is at c%u", move->commit);
        break;
    default:
        printf("c%u is put where %s is, %s", move->commit, who,
               move->kind == PUT_NEW ? "as a new file" : "into the file that is there");
    }
}

static void tell_way(uint32_t number)
{
    uint32_t way[WAY_MAX];
    size_t count = search_way(&worlds, number, way, WAY_MAX);
    struct world world = first_world();
    for (size_t i = 0; i < count; i++) {
        struct world before = world;
        struct move move = unpack(worlds.came[way[i]].move);
        make_move(&world, &move);
        printf("  %zu. ", i + 1);
        tell(&before, &world, &move);
        printf(";\n");
    }
}

/* ---- the program ---- */

static void read_options(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"commits", required_argument, NULL, 'c'},
        {"restores", required_argument, NULL, 'r'},
        {"places", required_argument, NULL, 'p'},
        {"weak", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    bool known = true;
    for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1 && known;) {
        if (option == 'c')
            commits_most = number_of("--commits", optarg, COMMITS_MAX);
        else if (option == 'r')
            restores_most = number_of("--restores", optarg, 4);
        else if (option == 'p')
            places = number_of("--places", optarg, PLACES);
        else if (option == 'w')
            weak = optarg;
        known = option != '?';
    }
    const struct weak_rule *rule = WEAK;
    while (weak[0] != '\0' && rule->name != NULL && !is_weak(rule->name))
        rule++;
    if (!known || optind != argc || rule->name == NULL)
        give_up("wrong usage; the head of continuity_worlds.c has it");
    if (weak[0] != '\0')
        printf("weakened: %s\n", rule->prose);
}

/* Files that stand for data files, and folders for notes; false: there is no tmpfs. */
static bool lay_files(void)
{
    snprintf(base, sizeof base, "/dev/shm/hallsync-exhaustive-XXXXXX");
    if (mkdtemp(base) == NULL)
        return false;
    for (size_t i = 0; i < MACHINES; i++) {
        snprintf(note_dirs[i], sizeof note_dirs[i], "%s/m%zu", base, i);
        mkdir(note_dirs[i], 0700);
    }
    for (size_t i = 0; i < PLACES * FILES; i++) {
        char path[80];
        snprintf(path, sizeof path, "%s/d%zu", base, i);
        data_fds[i / FILES][i % FILES] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        unlink(path);
    }
    return true;
}

static void remove_files(void)
{
    for (size_t i = 0; i < MACHINES; i++) {
        struct hs_note *note = open_note(i, 0, 0);
        hs_note_drop(note);
        hs_note_close(note);
        rmdir(note_dirs[i]);
    }
    for (size_t i = 0; i < PLACES * FILES; i++)
        close(data_fds[i / FILES][i % FILES]);
    rmdir(base);
}

int main(int argc, char **argv)
{
    uint32_t reached = 0;
    uint32_t way[WAY_MAX];
    double began = seconds_now();
    read_options(argc, argv);
    if (!lay_files()) {
        printf("skipped: no folder can be made in /dev/shm\n");
        return SKIPPED;
    }
    search_init(&worlds, sizeof(struct world));
    search_init(&asked, sizeof(struct question));
    bool sound = (weak[0] != '\0' || ask_all()) && explore(&reached);
    char found[sizeof flaw];
    memcpy(found, flaw, sizeof found);
    if (!sound) {
        printf("violation:\n");
        tell_way(reached);
        printf("  %s.\n", found);
    }
    printf("%u commits, %u restores, %u places: %zu states, %llu transitions, depth %zu; %llu starts proven, %zu "
           "questions "
           "put to hs_note_doubt; %.1f s\n",
           commits_most, restores_most, places, worlds.count, (unsigned long long)transitions,
           search_way(&worlds, reached, way, WAY_MAX), (unsigned long long)proven, asked.count, seconds_now() - began);
    remove_files();
    search_fini(&worlds);
    search_fini(&asked);
    free(answers);
    return sound == (weak[0] == '\0') ? 0 : 1;
}

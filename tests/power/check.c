/* check.c -- cut the power at many moments of a recorded run, and see what is left of each node's store.
 *
 *   hallsync-power-check run JOURNAL DIR HALL HUB CUTS [all]
 *       From the text "clients" in the journal on: about CUTS moments for each node ("all": every one at which
 * something became certain), chosen by $HS_SEED: just before and between syncs.  At each of them several ways for the
 * cut to go (disk.h), each opened and held against what clients and the other node had been told by then (inspect.h).
 *   hallsync-power-check image JOURNAL FOLDER ENTRY CUT SEED TO
 *       What a cut before that entry (from 0) leaves of a folder.  Status 3: not even the folder.
 *   hallsync-power-check list JOURNAL
 *       A line for each entry: the path that it is about, the folder of what is only known by its inode, or "- " and
 * its text. hallsync-power-check open DIR Open the store there with the keys beside it, and check it. */
#include "storage/model/kinds.h"
#include "tests/power/disk.h"
#include "tests/power/inspect.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES   512
#define FAILURES_MAX 5
#define BETWEEN      12 /* one in so many of the other entries is a moment too */
#define FRESH        6  /* so many syncs of a process that has just begun */
#define DEEP         6  /* one in so many images is looked at closely */
#define START_TEXT   "clients"

enum { HALL, HUB, NODES };

struct node {
    const char *folder;
    struct hs_keys keys;
    uint64_t changes;         /* of its files so far */
    uint64_t read_at;         /* changes when the other node's view of it was taken */
    struct inspect_peer told; /* what this one holds of the other and its receipts */
    uint64_t moments;         /* at which something of it became certain */
    unsigned fresh;           /* so many of them since a process began to write: each is looked at */
    uint64_t images, points;
};

/* Of one image. */
struct verdict {
    enum hs_err err;
    uint64_t store_id; /* 0: not opened */
    struct hs_why why;
};

struct check {
    const struct journal *journal;
    const char *dir;
    struct node nodes[NODES];
    struct disk *disk;
    struct expect expect;
    struct verdict *verdict; /* shared with the child */
    char place[PATH_BYTES];  /* of images, in a tmpfs */
    char image[PATH_BYTES];
    char notes[PATH_BYTES];
    uint64_t random;
    uint64_t cuts;
    bool all;
    uint64_t entry; /* where we are */
    unsigned failures;
    uint64_t deep;
};

/* ---- files ---- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void join(char to[static PATH_BYTES], const char *dir, const char *name)
{
    if (snprintf(to, PATH_BYTES, "%s/%s", dir, name) >= PATH_BYTES)
        abort();
}

static void make_place(struct check *check)
{
    snprintf(check->place, sizeof check->place, "/dev/shm/hallsync-power-XXXXXX");
    check->verdict = mmap(NULL, sizeof *check->verdict, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (check->verdict == MAP_FAILED || mkdtemp(check->place) == NULL) {
        perror(check->place);
        exit(2);
    }
    join(check->image, check->place, "image");
    join(check->notes, check->place, "notes");
}

/* A continuity note does not outlive a power cut. */
static void clear_place(struct check *check)
{
    remove_tree(check->image);
    remove_tree(check->notes);
    if (mkdir(check->notes, 0700) != 0) {
        perror(check->notes);
        exit(2);
    }
}

/* ---- one image ---- */

static struct inspect inspect_of(struct check *check, int which)
{
    return (struct inspect){
        .dir = check->image,
        .notes = check->notes,
        .keys = &check->nodes[which].keys,
        .expect = &check->expect,
        .is_hall = which == HALL,
    };
}

/* In a child: what a damaged map does to it is a verdict too. */
static struct verdict judge(struct check *check, struct inspect *inspect)
{
    struct verdict verdict = {.err = HS_EDAMAGED};
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        check->verdict->err = inspect_image(inspect);
        check->verdict->why = inspect->why;
        check->verdict->store_id = inspect->store_id;
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("fork");
        exit(2);
    }
    if (status == 0)
        return *check->verdict;
    snprintf(verdict.why.text, sizeof verdict.why.text, "the program was killed by signal %d, or ended with %d",
             WTERMSIG(status), WEXITSTATUS(status));
    return verdict;
}

/* What the other node knows of this one, its own cache included. */
static void read_told(struct check *check, int other)
{
    struct node *node = &check->nodes[other];
    if (node->read_at == node->changes)
        return;
    node->read_at = node->changes;
    clear_place(check);
    if (!disk_image(check->disk, node->folder, DISK_ALL, 0, check->image))
        return;
    struct inspect inspect = inspect_of(check, other);
    enum hs_err err = inspect_read_peer(&inspect, &check->nodes[1 - other].keys.node_key, &node->told);
    if (err != HS_OK) {
        fprintf(stderr, "entry %llu: what %s shows cannot be read: %s\n", (unsigned long long)check->entry,
                node->folder, hs_err_name(err));
        check->failures++;
    }
}

static void try_cut(struct check *check, int which, enum disk_cut cut)
{
    struct node *node = &check->nodes[which];
    uint64_t seed = disk_random(&check->random);
    struct inspect inspect = inspect_of(check, which);
    clear_place(check);
    inspect.peer = &check->nodes[1 - which].told;
    inspect.deep = disk_random(&check->random) % DEEP == 0;
    check->deep += inspect.deep;
    node->images++;
    struct verdict verdict = {.err = HS_ENOSTORE};
    if (disk_image(check->disk, node->folder, cut, seed, check->image))
        verdict = judge(check, &inspect);
    if (verdict.err == HS_OK)
        return;
    check->failures++;
    printf("power cut before entry %llu, %s, %s (image JOURNAL %s %llu %d %llu TO): %s: %s\n",
           (unsigned long long)check->entry, node->folder, disk_cut_name(cut), node->folder,
           (unsigned long long)check->entry, (int)cut, (unsigned long long)seed, hs_err_name(verdict.err),
           verdict.why.text);
}

static void try_moment(struct check *check, int which)
{
    static const enum disk_cut ALL[] = {DISK_NONE, DISK_ALL,  DISK_SUBSET, DISK_SUBSET,
                                        DISK_TORN, DISK_TORN, DISK_REORDER};
    static const enum disk_cut SOME[] = {DISK_ALL, DISK_SUBSET, DISK_TORN, DISK_REORDER};
    struct node *node = &check->nodes[which];
    node->points++;
    read_told(check, 1 - which);
    if (disk_pending(check->disk, node->folder) == 0) {
        try_cut(check, which, DISK_NONE);
    } else if (check->all) {
        for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++)
            try_cut(check, which, ALL[i]);
    } else {
        try_cut(check, which, DISK_NONE);
        try_cut(check, which, SOME[disk_random(&check->random) % 4]);
    }
}

/* ---- the run ---- */

static bool is_certain(const struct journal_entry *entry)
{
    return entry->sort == JOURNAL_SYNC_END || entry->sort == JOURNAL_RANGE_END;
}

static bool is_start(const struct journal_entry *entry)
{
    return entry->sort == JOURNAL_MARK && entry->path_bytes > 0 && strcmp(journal_path(entry), START_TEXT) == 0;
}

/* NODES: of neither. */
static int node_of(const struct check *check, const struct journal_entry *entry)
{
    const char *folder = entry->file == 0 ? NULL : disk_folder(check->disk, entry->file);
    int which = 0;
    while (which < NODES && (folder == NULL || strcmp(folder, check->nodes[which].folder) != 0))
        which++;
    return which;
}

/* A client has been answered: the hall must keep that from now on. */
static bool is_answer(const struct journal_entry *entry)
{
    return entry->sort == JOURNAL_MARK && entry->path_bytes == 0 &&
           ((const struct mark *)(const void *)journal_data(entry))->step == MARK_ACKED;
}

static void try_before(struct check *check, const struct journal_entry *entry)
{
    int which = is_answer(entry) ? HALL : node_of(check, entry);
    if (which == NODES)
        return;
    const struct node *node = &check->nodes[which];
    uint64_t draw = disk_random(&check->random);
    bool chosen = is_certain(entry) ? check->all || node->fresh > 0 || draw % node->moments < check->cuts
                                    : draw % (node->moments * BETWEEN) < check->cuts;
    if (chosen && check->failures < FAILURES_MAX)
        try_moment(check, which);
}

static void take(struct check *check, const struct journal_entry *entry)
{
    disk_step(check->disk, entry);
    if (entry->sort == JOURNAL_MARK && entry->path_bytes == 0)
        expect_step(&check->expect, (const struct mark *)(const void *)journal_data(entry));
    int which = node_of(check, entry);
    if (which == NODES)
        return;
    struct node *node = &check->nodes[which];
    node->changes++;
    if (entry->sort == JOURNAL_BASE)
        node->fresh = FRESH;
    else if (is_certain(entry) && node->fresh > 0)
        node->fresh--;
}

static void count_moments(struct check *check)
{
    bool started = false;
    struct disk *disk = check->disk = disk_new();
    for (const struct journal_entry *entry = journal_next(check->journal, NULL); entry != NULL;
         entry = journal_next(check->journal, entry)) {
        disk_step(disk, entry);
        started = started || is_start(entry);
        int which = node_of(check, entry);
        if (started && which != NODES && is_certain(entry))
            check->nodes[which].moments++;
    }
    disk_free(disk);
    check->disk = NULL;
}

/* Everything that changed was recorded: what the journal adds up to is what is there. */
static void compare_files(struct check *check)
{
    static const char *const FILES[] = {"log/data.mdb", "records/data.mdb", "keys/node.key", "keys/node.cert"};
    char name[PATH_BYTES];
    char path[PATH_BYTES];
    for (size_t i = 0; i < NODES * sizeof FILES / sizeof *FILES; i++) {
        join(name, check->nodes[i % NODES].folder, FILES[i / NODES]);
        join(path, check->dir, name);
        if (!disk_same(check->disk, name, path))
            check->failures++;
    }
}

static void run(struct check *check)
{
    bool started = false;
    count_moments(check);
    check->disk = disk_new();
    expect_init(&check->expect);
    for (int which = 0; which < NODES; which++) {
        if (check->nodes[which].moments == 0) {
            printf("%s: nothing was ever synced\n", check->nodes[which].folder);
            check->failures++;
            check->nodes[which].moments = 1;
        }
    }
    for (const struct journal_entry *entry = journal_next(check->journal, NULL); entry != NULL;
         entry = journal_next(check->journal, entry), check->entry++) {
        started = started || is_start(entry);
        if (started)
            try_before(check, entry);
        take(check, entry);
    }
    for (int which = 0; which < NODES; which++)
        try_moment(check, which);
    compare_files(check);
}

static int finish(struct check *check, double seconds)
{
    for (int which = 0; which < NODES; which++)
        printf("%s: %llu syncs, %llu moments, %llu images\n", check->nodes[which].folder,
               (unsigned long long)check->nodes[which].moments, (unsigned long long)check->nodes[which].points,
               (unsigned long long)check->nodes[which].images);
    printf("%llu entries, %zu facts acknowledged, %llu images looked at closely, %.1f s\n",
           (unsigned long long)check->entry, check->expect.acked, (unsigned long long)check->deep, seconds);
    for (int which = 0; which < NODES; which++) {
        inspect_peer_fini(&check->nodes[which].told);
        hs_keys_free(&check->nodes[which].keys);
    }
    expect_fini(&check->expect);
    disk_free(check->disk);
    remove_tree(check->place);
    return check->failures == 0 ? 0 : 1;
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static uint64_t number_of(const char *text)
{
    return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static const struct journal *open_journal(const char *path)
{
    const struct journal *journal = journal_open(path);
    if (journal == NULL) {
        perror(path);
        exit(2);
    }
    return journal;
}

static int run_all(int argc, char **argv)
{
    struct check check = {.journal = open_journal(argv[2]), .dir = argv[3], .cuts = number_of(argv[6])};
    struct hs_why why = {0};
    check.random = number_of(getenv("HS_SEED"));
    check.all = argc > 7;
    for (int which = 0; which < NODES; which++) {
        char path[PATH_BYTES];
        struct node *node = &check.nodes[which];
        node->folder = argv[4 + which];
        node->read_at = UINT64_MAX;
        join(path, check.dir, node->folder);
        if (hs_keys_load(path, &node->keys, &why) != HS_OK) {
            fprintf(stderr, "%s: %s\n", path, why.text);
            return 2;
        }
    }
    double began = now();
    make_place(&check);
    run(&check);
    return finish(&check, now() - began);
}

/* ---- the small ones ---- */

static int make_image(char **argv)
{
    struct disk *disk = disk_new();
    uint64_t until = number_of(argv[4]);
    const struct journal *journal = open_journal(argv[2]);
    const struct journal_entry *entry = journal_next(journal, NULL);
    for (uint64_t i = 0; i < until && entry != NULL; i++, entry = journal_next(journal, entry))
        disk_step(disk, entry);
    bool there = disk_image(disk, argv[3], (enum disk_cut)number_of(argv[5]), number_of(argv[6]), argv[7]);
    disk_free(disk);
    return there ? 0 : 3;
}

static void list_one(const struct disk *disk, const struct journal_entry *entry)
{
    const char *folder = entry->file == 0 ? NULL : disk_folder(disk, entry->file);
    if (entry->path_bytes > 0)
        printf("%s%s\n", entry->sort == JOURNAL_MARK ? "- " : "", journal_path(entry));
    else
        printf("%s\n", folder == NULL ? "-" : folder);
}

static int list(const char *path)
{
    const struct journal *journal = open_journal(path);
    struct disk *disk = disk_new();
    for (const struct journal_entry *entry = journal_next(journal, NULL); entry != NULL;
         entry = journal_next(journal, entry)) {
        disk_step(disk, entry);
        list_one(disk, entry);
    }
    disk_free(disk);
    return 0;
}

static int tell(const char *path, uint64_t until)
{
    const struct journal *journal = open_journal(path);
    const struct journal_entry *entry = journal_next(journal, NULL);
    for (uint64_t i = 0; i < until && entry != NULL; i++, entry = journal_next(journal, entry)) {
        const struct mark *mark = (const struct mark *)(const void *)journal_data(entry);
        if (!is_answer(entry) || mark->kind != HS_KIND_PAYMENT)
            continue;
        for (size_t k = 0; k < sizeof mark->id; k++)
            printf("%02x", mark->id[k]);
        printf(" %lld\n", (long long)mark->amount_fen);
    }
    return 0;
}

static int open_one(const char *dir)
{
    struct check check = {.journal = NULL};
    struct inspect inspect;
    char note[64];
    struct hs_keys *keys = &check.nodes[HUB].keys;
    struct hs_why why = {0};
    enum hs_err err = hs_keys_load(dir, keys, &why);
    if (err == HS_OK) {
        make_place(&check);
        clear_place(&check);
        expect_init(&check.expect);
        inspect = inspect_of(&check, HUB);
        inspect.dir = dir;
        inspect.deep = true;
        struct verdict verdict = judge(&check, &inspect);
        err = verdict.err;
        why = verdict.why;
        snprintf(note, sizeof note, "/dev/shm/hallsync-%016llx.note", (unsigned long long)verdict.store_id);
        unlink(note);
        expect_fini(&check.expect);
        remove_tree(check.place);
    }
    hs_keys_free(keys);
    if (err != HS_OK)
        printf("%s: %s: %s\n", dir, hs_err_name(err), why.text);
    return err == HS_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc >= 7 && strcmp(argv[1], "run") == 0)
        return run_all(argc, argv);
    if (argc == 8 && strcmp(argv[1], "image") == 0)
        return make_image(argv);
    if (argc == 3 && strcmp(argv[1], "list") == 0)
        return list(argv[2]);
    if (argc == 4 && strcmp(argv[1], "told") == 0)
        return tell(argv[2], number_of(argv[3]));
    if (argc == 3 && strcmp(argv[1], "open") == 0)
        return open_one(argv[2]);
    fprintf(stderr, "usage: run JOURNAL DIR HALL HUB CUTS [all], image JOURNAL FOLDER ENTRY CUT SEED TO, "
                    "list JOURNAL, told JOURNAL ENTRY, or open DIR\n");
    return 2;
}

#include "tests/power/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK      4096
#define SECTOR     512
#define NAME_BYTES 128

/* One write or change of size; a synced one is taken out. */
struct change {
    uint64_t order; /* of all changes of the disk */
    bool resize;
    uint64_t at, size;
    const uint8_t *data; /* NULL: zeros */
};

struct content {
    uint8_t *bytes;
    uint64_t size, room; /* what lies beyond the size is zero */
};

struct node {
    uint64_t file;
    bool is_dir;
    struct content stable, cache;
    uint64_t *stable_order; /* of each block: older changes do not touch it any more */
    uint64_t stable_blocks;
    struct change *pending; /* ascending */
    size_t count, room;
    uint64_t syncing; /* order of the last change that the sync under way takes */
};

enum name_sort { NAME_ADD, NAME_REMOVE, NAME_MOVE };

/* A change of directories, in the order in which they were made. */
struct naming {
    uint64_t order;
    enum name_sort sort;
    struct node *dir;
    char name[NAME_BYTES];
    struct node *node; /* what is added or moved */
    struct node *to_dir;
    char to_name[NAME_BYTES];
    bool certain;
    bool syncing;
};

/* Names as they are at one moment. */
struct entry {
    struct node *dir;
    const char *name;
    struct node *node;
};
struct tree {
    struct entry *entries;
    size_t count;
};

struct disk {
    struct node **nodes;
    size_t node_count;
    struct naming **namings;
    size_t naming_count, naming_room;
    struct node *root;
    struct tree now;
    uint64_t order;
};

static const char *const CUT_NAMES[DISK_CUTS] = {"none", "all", "subset", "torn", "reorder"};

const char *disk_cut_name(enum disk_cut cut)
{
    return CUT_NAMES[cut];
}

uint64_t disk_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void *grown(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room == 0 ? 64 : 2 * *room;
    void *more = realloc(array, *room * size);
    if (more == NULL)
        abort();
    return more;
}

/* ---- contents ---- */

static void resize(struct content *content, uint64_t size)
{
    if (size > content->room) {
        uint64_t room = size + size / 2 + BLOCK;
        content->bytes = realloc(content->bytes, room);
        if (content->bytes == NULL)
            abort();
        memset(content->bytes + content->room, 0, room - content->room);
        content->room = room;
    }
    if (size < content->size)
        memset(content->bytes + size, 0, content->size - size);
    content->size = size;
}

static void put(struct content *content, uint64_t at, const uint8_t *data, uint64_t size)
{
    if (at + size > content->size)
        resize(content, at + size);
    if (data != NULL)
        memcpy(content->bytes + at, data, size);
    else
        memset(content->bytes + at, 0, size);
}

static struct content copy_of(const struct content *content)
{
    struct content copy = {0};
    resize(&copy, content->size);
    if (content->size > 0)
        memcpy(copy.bytes, content->bytes, content->size);
    return copy;
}

static void note_stable(struct node *node, uint64_t at, uint64_t size, uint64_t order)
{
    uint64_t blocks = (at + size + BLOCK - 1) / BLOCK;
    if (blocks > node->stable_blocks) {
        node->stable_order = realloc(node->stable_order, blocks * sizeof *node->stable_order);
        if (node->stable_order == NULL)
            abort();
        memset(node->stable_order + node->stable_blocks, 0,
               (blocks - node->stable_blocks) * sizeof *node->stable_order);
        node->stable_blocks = blocks;
    }
    for (uint64_t block = at / BLOCK; block < blocks; block++)
        node->stable_order[block] = order > node->stable_order[block] ? order : node->stable_order[block];
}

/* Does the change come after what is on the disk in the block? */
static bool is_newer(const struct node *node, uint64_t block, const struct change *made)
{
    return block >= node->stable_blocks || made->order > node->stable_order[block];
}

/* The first @size bytes of a write, where they are newer than what is on the disk. */
static void put_change(const struct node *node, struct content *to, const struct change *made, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        uint64_t at = made->at + done;
        uint64_t part = BLOCK - at % BLOCK < size - done ? BLOCK - at % BLOCK : size - done;
        if (is_newer(node, at / BLOCK, made))
            put(to, at, made->data == NULL ? NULL : made->data + done, part);
        done += part;
    }
}

/* ---- files ---- */

static struct node *find_node(const struct disk *disk, uint64_t file)
{
    for (size_t i = disk->node_count; i > 0; i--) { /* an inode's number is used again: the newest */
        if (disk->nodes[i - 1]->file == file)
            return disk->nodes[i - 1];
    }
    return NULL;
}

static struct node *add_node(struct disk *disk, uint64_t file, bool is_dir)
{
    struct node *node = calloc(1, sizeof *node);
    disk->nodes = realloc(disk->nodes, (disk->node_count + 1) * sizeof *disk->nodes);
    if (node == NULL || disk->nodes == NULL)
        abort();
    node->file = file;
    node->is_dir = is_dir;
    disk->nodes[disk->node_count++] = node;
    return node;
}

static void change(struct disk *disk, struct node *node, const struct change *made)
{
    node->pending = grown(node->pending, node->count, &node->room, sizeof *node->pending);
    node->pending[node->count] = *made;
    node->pending[node->count++].order = ++disk->order;
    if (made->resize)
        resize(&node->cache, made->size);
    else
        put(&node->cache, made->at, made->data, made->size);
}

/* What differs from what is known was written by somebody whose entry is missing. */
static void change_to(struct disk *disk, struct node *node, const uint8_t *data, uint64_t size)
{
    static const uint8_t zeros[BLOCK];
    if (node->cache.size != size)
        change(disk, node, &(struct change){.resize = true, .size = size});
    for (uint64_t at = 0; at < size; at += BLOCK) {
        uint64_t part = size - at < BLOCK ? size - at : BLOCK;
        if (memcmp(node->cache.bytes + at, data == NULL ? zeros : data + at, part) != 0)
            change(disk, node, &(struct change){.at = at, .size = part, .data = data == NULL ? NULL : data + at});
    }
}

static void sync_end(struct node *node)
{
    size_t left = 0;
    for (size_t i = 0; i < node->count; i++) {
        const struct change *made = &node->pending[i];
        if (made->order > node->syncing) {
            node->pending[left++] = *made;
        } else if (made->resize) {
            resize(&node->stable, made->size);
        } else {
            put_change(node, &node->stable, made, made->size);
            note_stable(node, made->at, made->size, made->order);
        }
    }
    node->count = left;
}

/* Its blocks go to the disk as they are now, with whatever was pending in them. */
static void range_end(struct disk *disk, struct node *node, uint64_t at, uint64_t size)
{
    uint64_t from = at / BLOCK * BLOCK;
    uint64_t to = (at + size + BLOCK - 1) / BLOCK * BLOCK;
    if (to > node->cache.size)
        to = node->cache.size;
    put(&node->stable, from, node->cache.bytes + from, to - from);
    note_stable(node, from, to - from, disk->order);
    for (size_t i = node->count; i > 0; i--) {
        if (!node->pending[i - 1].resize && node->pending[i - 1].at == at && node->pending[i - 1].size == size) {
            memmove(&node->pending[i - 1], &node->pending[i], (node->count - i) * sizeof *node->pending);
            node->count--;
            return;
        }
    }
}

/* ---- names ---- */

static struct entry *find_entry(const struct tree *tree, const struct node *dir, const char *name)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->entries[i].dir == dir && strcmp(tree->entries[i].name, name) == 0)
            return &tree->entries[i];
    }
    return NULL;
}

static void remove_entry(struct tree *tree, const struct node *dir, const char *name)
{
    struct entry *entry = find_entry(tree, dir, name);
    if (entry != NULL)
        *entry = tree->entries[--tree->count];
}

static void add_entry(struct tree *tree, struct node *dir, const char *name, struct node *node)
{
    remove_entry(tree, dir, name);
    tree->entries = realloc(tree->entries, (tree->count + 1) * sizeof *tree->entries);
    if (tree->entries == NULL)
        abort();
    tree->entries[tree->count++] = (struct entry){dir, name, node};
}

static void do_naming(struct tree *tree, const struct naming *naming)
{
    if (naming->sort == NAME_ADD) {
        add_entry(tree, naming->dir, naming->name, naming->node);
    } else {
        remove_entry(tree, naming->dir, naming->name);
        if (naming->sort == NAME_MOVE)
            add_entry(tree, naming->to_dir, naming->to_name, naming->node);
    }
}

static void rebuild(struct disk *disk)
{
    disk->now.count = 0;
    for (size_t i = 0; i < disk->naming_count; i++)
        do_naming(&disk->now, disk->namings[i]);
}

/* The directory in which the path's last name lies, and that name; NULL: some part of it is not there. */
static struct node *find_dir(const struct disk *disk, const char *path, char name[static NAME_BYTES])
{
    struct node *dir = disk->root;
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(path, '/')) {
        snprintf(name, NAME_BYTES, "%.*s", (int)(slash - path), path);
        struct entry *entry = find_entry(&disk->now, dir, name);
        if (entry == NULL || !entry->node->is_dir)
            return NULL;
        dir = entry->node;
        path = slash + 1;
    }
    snprintf(name, NAME_BYTES, "%s", path);
    return dir;
}

static struct naming *add_naming(struct disk *disk, enum name_sort sort, const char *path)
{
    struct naming *naming = calloc(1, sizeof *naming);
    disk->namings = grown(disk->namings, disk->naming_count, &disk->naming_room, sizeof *disk->namings);
    if (naming == NULL)
        abort();
    naming->sort = sort;
    naming->dir = find_dir(disk, path, naming->name);
    assert(naming->dir != NULL);
    naming->order = ++disk->order;
    disk->namings[disk->naming_count++] = naming;
    return naming;
}

static struct node *node_at(const struct disk *disk, const char *path)
{
    char name[NAME_BYTES];
    struct node *dir = find_dir(disk, path, name);
    struct entry *entry = dir == NULL ? NULL : find_entry(&disk->now, dir, name);
    return entry == NULL ? NULL : entry->node;
}

static void add_name(struct disk *disk, const char *path, struct node *node)
{
    add_naming(disk, NAME_ADD, path)->node = node;
    rebuild(disk);
}

static void remove_name(struct disk *disk, const char *path)
{
    if (node_at(disk, path) != NULL) /* a socket is none of ours */
        add_naming(disk, NAME_REMOVE, path);
    rebuild(disk);
}

static void move_name(struct disk *disk, const char *from, const char *to)
{
    struct node *node = node_at(disk, from);
    struct naming *naming = add_naming(disk, NAME_MOVE, from);
    naming->node = node;
    naming->to_dir = find_dir(disk, to, naming->to_name);
    assert(node != NULL && naming->to_dir != NULL);
    rebuild(disk);
}

static void sync_names(struct disk *disk, const struct node *dir, bool begins)
{
    for (size_t i = 0; i < disk->naming_count; i++) {
        struct naming *naming = disk->namings[i];
        if (naming->dir != dir && naming->to_dir != dir)
            continue;
        if (begins)
            naming->syncing = true;
        else if (naming->syncing)
            naming->certain = true;
    }
}

/* ---- one entry ---- */

static void step_name(struct disk *disk, const struct journal_entry *entry)
{
    const char *path = journal_path(entry);
    switch (entry->sort) {
    case JOURNAL_MKDIR:
        add_name(disk, path, add_node(disk, entry->file, true));
        break;
    case JOURNAL_CREATE:
        add_name(disk, path, add_node(disk, entry->file, false));
        break;
    case JOURNAL_LINK:
        add_name(disk, path + strlen(path) + 1, node_at(disk, path));
        break;
    case JOURNAL_RENAME:
        move_name(disk, path, path + strlen(path) + 1);
        break;
    default:
        remove_name(disk, path);
        break;
    }
}

static void step_sync(struct disk *disk, struct node *node, bool begins)
{
    if (node->is_dir)
        sync_names(disk, node, begins);
    else if (begins)
        node->syncing = disk->order;
    else
        sync_end(node);
}

static void step_file(struct disk *disk, const struct journal_entry *entry)
{
    struct node *node = find_node(disk, entry->file);
    if (node == NULL) {
        fprintf(stderr, "the journal speaks of a file that nobody made: inode %llu\n", (unsigned long long)entry->file);
        abort();
    }
    switch (entry->sort) {
    case JOURNAL_WRITE:
        change(disk, node, &(struct change){.at = entry->at, .size = entry->size, .data = journal_data(entry)});
        break;
    case JOURNAL_SIZE:
        change(disk, node, &(struct change){.resize = true, .size = entry->at});
        break;
    case JOURNAL_BASE:
        change_to(disk, node, journal_data(entry), entry->size);
        break;
    case JOURNAL_RANGE_END:
        range_end(disk, node, entry->at, entry->size);
        break;
    default:
        step_sync(disk, node, entry->sort == JOURNAL_SYNC_BEGIN);
        break;
    }
}

void disk_step(struct disk *disk, const struct journal_entry *entry)
{
    switch (entry->sort) {
    case JOURNAL_ROOT:
        disk->root = add_node(disk, entry->file, true);
        break;
    case JOURNAL_MKDIR:
    case JOURNAL_CREATE:
    case JOURNAL_RENAME:
    case JOURNAL_LINK:
    case JOURNAL_UNLINK:
    case JOURNAL_RMDIR:
        step_name(disk, entry);
        break;
    case JOURNAL_MARK:
        break;
    default:
        step_file(disk, entry);
        break;
    }
}

/* ---- what is left ---- */

struct cut {
    const struct disk *disk;
    enum disk_cut kind;
    uint64_t random;
    unsigned keep;       /* of 10: of the pending ones */
    uint64_t torn_order; /* the change that is torn: those before it are kept */
    uint64_t torn_bytes;
    struct tree tree;
};

static const struct entry *find_link(const struct tree *tree, const struct node *node)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->entries[i].node == node)
            return &tree->entries[i];
    }
    return NULL;
}

static const char *folder_of(const struct disk *disk, const struct node *node)
{
    const struct entry *link = find_link(&disk->now, node);
    while (link != NULL && link->dir != disk->root)
        link = find_link(&disk->now, link->dir);
    return link == NULL ? NULL : link->name;
}

const char *disk_folder(const struct disk *disk, uint64_t file)
{
    const struct node *node = find_node(disk, file);
    return node == NULL ? NULL : folder_of(disk, node);
}

static bool lies_in(const struct disk *disk, const struct node *node, const char *folder)
{
    const char *name = folder_of(disk, node);
    return name != NULL && strcmp(name, folder) == 0;
}

size_t disk_pending(const struct disk *disk, const char *folder)
{
    size_t count = 0;
    for (size_t i = 0; i < disk->node_count; i++) {
        const struct node *node = disk->nodes[i];
        if (node->count > 0 && lies_in(disk, node, folder))
            count += node->count;
    }
    for (size_t i = 0; i < disk->naming_count; i++) {
        if (!disk->namings[i]->certain && lies_in(disk, disk->namings[i]->dir, folder))
            count++;
    }
    return count;
}

/* One of the pending writes of the folder, and how much of it: whole blocks or sectors. */
static void choose_torn(struct cut *cut, const char *folder)
{
    size_t count = 0;
    for (size_t i = 0; i < cut->disk->node_count; i++) {
        const struct node *node = cut->disk->nodes[i];
        if (node->count == 0 || !lies_in(cut->disk, node, folder))
            continue;
        for (size_t k = 0; k < node->count; k++) {
            if (node->pending[k].resize || disk_random(&cut->random) % ++count != 0)
                continue;
            uint64_t unit = disk_random(&cut->random) % 2 == 0 ? SECTOR : BLOCK;
            cut->torn_order = node->pending[k].order;
            cut->torn_bytes = disk_random(&cut->random) % (node->pending[k].size / unit + 1) * unit;
        }
    }
}

static bool keeps(struct cut *cut, uint64_t order)
{
    switch (cut->kind) {
    case DISK_NONE:
        return false;
    case DISK_ALL:
        return true;
    case DISK_TORN:
        return order <= cut->torn_order;
    default:
        return disk_random(&cut->random) % 10 < cut->keep;
    }
}

static void name_all(struct cut *cut)
{
    for (size_t i = 0; i < cut->disk->naming_count; i++) {
        const struct naming *naming = cut->disk->namings[i];
        if (naming->certain || keeps(cut, naming->order))
            do_naming(&cut->tree, naming);
    }
}

/* Each block as it was after some change of the pending ones, or before all of them. */
static void reorder(struct cut *cut, const struct node *node, struct content *to)
{
    uint64_t blocks = (node->cache.size + BLOCK - 1) / BLOCK;
    uint64_t first = node->pending[0].order;
    uint64_t span = node->pending[node->count - 1].order - first + 2;
    uint64_t *last = calloc(blocks + 1, sizeof *last);
    if (last == NULL)
        abort();
    for (uint64_t i = 0; i <= blocks; i++)
        last[i] = first - 1 + disk_random(&cut->random) % span;
    for (size_t i = 0; i < node->count; i++) {
        const struct change *made = &node->pending[i];
        for (uint64_t done = 0; !made->resize && done < made->size;) {
            uint64_t at = made->at + done;
            uint64_t part = BLOCK - at % BLOCK < made->size - done ? BLOCK - at % BLOCK : made->size - done;
            if (at / BLOCK > blocks || (made->order <= last[at / BLOCK] && is_newer(node, at / BLOCK, made)))
                put(to, at, made->data == NULL ? NULL : made->data + done, part);
            done += part;
        }
    }
    free(last);
}

static void keep_some(struct cut *cut, const struct node *node, struct content *to)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct change *made = &node->pending[i];
        if (!keeps(cut, made->order))
            continue;
        if (made->resize)
            resize(to, made->size);
        else
            put_change(node, to, made, made->order == cut->torn_order ? cut->torn_bytes : made->size);
    }
}

static struct content content_after(struct cut *cut, const struct node *node)
{
    struct content content = copy_of(&node->stable);
    if (node->count > 0 && cut->kind == DISK_REORDER)
        reorder(cut, node, &content);
    else
        keep_some(cut, node, &content);
    /* The size is written apart from the blocks. */
    bool apart = cut->kind == DISK_SUBSET || cut->kind == DISK_REORDER;
    if (apart && content.size > node->stable.size && disk_random(&cut->random) % 4 == 0)
        resize(&content, node->stable.size + disk_random(&cut->random) % (content.size - node->stable.size + 1));
    return content;
}

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "cannot %s %s: %s\n", what, path, strerror(errno));
    abort();
}

static void write_file(const struct content *content, const char *path)
{
    static const uint8_t zeros[BLOCK];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)content->size) != 0)
        fail("make", path);
    for (uint64_t at = 0; at < content->size; at += BLOCK) {
        uint64_t part = content->size - at < BLOCK ? content->size - at : BLOCK;
        if (memcmp(content->bytes + at, zeros, part) != 0 &&
            pwrite(fd, content->bytes + at, part, (off_t)at) != (ssize_t)part)
            fail("write", path);
    }
    close(fd);
}

static void write_dir(struct cut *cut, const struct node *dir, const char *path)
{
    char inner[4096];
    if (mkdir(path, 0700) != 0)
        fail("make", path);
    for (size_t i = 0; i < cut->tree.count; i++) {
        const struct entry *entry = &cut->tree.entries[i];
        if (entry->dir != dir)
            continue;
        if ((size_t)snprintf(inner, sizeof inner, "%s/%s", path, entry->name) >= sizeof inner)
            abort();
        if (entry->node->is_dir) {
            write_dir(cut, entry->node, inner);
        } else {
            struct content content = content_after(cut, entry->node);
            write_file(&content, inner);
            free(content.bytes);
        }
    }
}

bool disk_image(const struct disk *disk, const char *folder, enum disk_cut kind, uint64_t seed, const char *to)
{
    static const unsigned KEEP[] = {1, 5, 9};
    struct cut cut = {.disk = disk, .kind = kind, .random = seed};
    cut.keep = KEEP[disk_random(&cut.random) % 3];
    if (kind == DISK_TORN)
        choose_torn(&cut, folder);
    name_all(&cut);
    const struct entry *entry = find_entry(&cut.tree, disk->root, folder);
    if (entry != NULL)
        write_dir(&cut, entry->node, to);
    free(cut.tree.entries);
    return entry != NULL;
}

bool disk_same(const struct disk *disk, const char *name, const char *path)
{
    const struct node *node = node_at(disk, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (node == NULL || fd < 0 || fstat(fd, &status) != 0)
        fail("compare", path);
    uint8_t *bytes = malloc((size_t)status.st_size + 1);
    if (bytes == NULL || pread(fd, bytes, (size_t)status.st_size, 0) != (ssize_t)status.st_size)
        fail("read", path);
    close(fd);
    bool same = (uint64_t)status.st_size == node->cache.size;
    uint64_t differs = 0;
    while (same && differs < node->cache.size && bytes[differs] == node->cache.bytes[differs])
        differs++;
    if (!same || differs < node->cache.size)
        fprintf(stderr, "%s: recorded %llu bytes, the file has %llu; they differ from byte %llu on\n", name,
                (unsigned long long)node->cache.size, (unsigned long long)status.st_size, (unsigned long long)differs);
    same = same && differs == node->cache.size;
    free(bytes);
    return same;
}

/* ---- life ---- */

struct disk *disk_new(void)
{
    struct disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL)
        abort();
    return disk;
}

void disk_free(struct disk *disk)
{
    for (size_t i = 0; i < disk->node_count; i++) {
        free(disk->nodes[i]->stable.bytes);
        free(disk->nodes[i]->cache.bytes);
        free(disk->nodes[i]->stable_order);
        free(disk->nodes[i]->pending);
        free(disk->nodes[i]);
    }
    free(disk->nodes);
    for (size_t i = 0; i < disk->naming_count; i++)
        free(disk->namings[i]);
    free(disk->namings);
    free(disk->now.entries);
    free(disk);
}

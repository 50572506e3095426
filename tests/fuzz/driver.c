/* driver.c -- a main for the fuzz targets where no fuzzer is linked: runs the files and folders given, then mutations
 * of them.
 *
 *     test_fuzz_NAME [--count N] [--write DIR] [FILE|FOLDER]...
 *
 * HS_SEED chooses the mutations, and is printed.  An input that breaks the target is left in ./crash-input; run it
 * alone by naming it, with --count 0.  --write puts the target's seeds into DIR and does nothing else. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_SEED    20261121
#define DEFAULT_COUNT   1000
#define INPUTS_MAX      4096
#define INPUT_BYTES_MAX 65536
#define MUTATIONS_MAX   6
#define CRASH_FILE      "crash-input"

static struct hs_buf inputs[INPUTS_MAX];
static size_t input_count;
static struct hs_buf current; /* what runs now, for the handler */
static const char *write_dir;

/* ---- randomness: splitmix64, repeatable ---- */

static uint64_t prng_state;

static uint64_t random_u64(void)
{
    uint64_t z = prng_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t random_below(size_t bound)
{
    return bound == 0 ? 0 : (size_t)(random_u64() % bound);
}

/* ---- reading and writing files ---- */

static void die(const char *what, const char *name)
{
    perror(name);
    fprintf(stderr, "fuzz driver: %s\n", what);
    exit(2);
}

static void add_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        die("cannot read an input", path);
    if (input_count == INPUTS_MAX)
        die("too many inputs", path);
    struct hs_buf *input = &inputs[input_count++];
    uint8_t *room = hs_buf_extend(input, INPUT_BYTES_MAX);
    if (room == NULL)
        die("not enough memory", path);
    input->size = fread(room, 1, INPUT_BYTES_MAX, file);
    fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void add_path(const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0)
        die("no such input", path);
    if (!S_ISDIR(found.st_mode)) {
        add_file(path);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, is_file, by_name); /* in the same order everywhere */
    for (int i = 0; i < count; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        add_file(name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void write_seed(const char *name, struct hs_bytes seed)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", write_dir, name);
    FILE *file = fopen(path, "we");
    if (file == NULL || fwrite(seed.data != NULL ? seed.data : (const uint8_t *)"", 1, seed.size, file) != seed.size)
        die("cannot write a seed", path);
    fclose(file);
}

/* ---- running ---- */

static void put_all(int fd, const uint8_t *at, size_t left)
{
    while (left > 0) {
        ssize_t size = write(fd, at, left);
        if (size <= 0)
            return;
        at += size;
        left -= (size_t)size;
    }
}

static void leave_input(int number)
{
    static const char NOTE[] = "fuzz driver: the input is in ./" CRASH_FILE "\n";
    int fd = open(CRASH_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0) {
        put_all(fd, current.data, current.size);
        close(fd);
        put_all(STDERR_FILENO, (const uint8_t *)NOTE, sizeof NOTE - 1);
    }
    signal(number, SIG_DFL);
    raise(number);
}

#ifdef HS_UNDER_SANITIZER
/* So that what the sanitizers find comes to leave_input().  They look these up by name. */
#define SEEN __attribute__((visibility("default")))
SEEN const char *__asan_default_options(void);
SEEN const char *__asan_default_options(void)
{
    return "abort_on_error=1";
}
SEEN const char *__ubsan_default_options(void);
SEEN const char *__ubsan_default_options(void)
{
    return "abort_on_error=1:print_stacktrace=1";
}
#endif

/* In memory of exactly that size, so that one byte beyond it is found. */
static void run(struct hs_bytes input)
{
    uint8_t *copy = malloc(input.size > 0 ? input.size : 1);
    if (copy == NULL)
        die("not enough memory", "input");
    if (input.size > 0)
        memcpy(copy, input.data, input.size);
    LLVMFuzzerTestOneInput(copy, input.size);
    free(copy);
}

/* ---- mutations of the current input ---- */

static void put_at(size_t at, size_t cut, struct hs_bytes in)
{
    struct hs_buf out = {0};
    hs_buf_put(&out, current.data, at);
    hs_buf_put_bytes(&out, in);
    hs_buf_put(&out, current.data + at + cut, current.size - at - cut);
    if (out.err == HS_OK && out.size <= INPUT_BYTES_MAX) {
        hs_buf_reset(&current);
        hs_buf_put_bytes(&current, hs_buf_bytes(&out));
    }
    hs_buf_fini(&out);
}

static struct hs_bytes random_part(const struct hs_buf *of, size_t most)
{
    size_t at = random_below(of->size);
    size_t left = of->size - at;
    return HS_BYTES(of->data + at, random_below((left < most ? left : most) + 1));
}

static void set_bytes(void)
{
    static const uint64_t VALUES[] = {0,      1,          0x7f,       0x80,      0xff,      0x7fff,
                                      0xffff, 0x7fffffff, 0xffffffff, INT64_MAX, UINT64_MAX};
    uint8_t raw[8];
    size_t size = (size_t)1 << random_below(4);
    size_t at = random_below(current.size);
    hs_be64(raw, VALUES[random_below(sizeof VALUES / sizeof *VALUES)]);
    for (size_t i = 0; i < size && at + i < current.size; i++)
        current.data[at + i] = raw[sizeof raw - size + i];
}

static void mutate(void)
{
    uint8_t fresh[16];
    for (size_t i = 0; i < sizeof fresh; i++)
        fresh[i] = (uint8_t)random_u64();
    size_t at = random_below(current.size + 1);
    size_t left = current.size - at;
    switch (current.size == 0 ? 2 : random_below(8)) {
    case 0:
        current.data[random_below(current.size)] ^= (uint8_t)(1U << random_below(8));
        break;
    case 1:
        set_bytes();
        break;
    case 2:
        put_at(at, 0, HS_BYTES(fresh, 1 + random_below(sizeof fresh)));
        break;
    case 3:
        put_at(at, random_below((left < 32 ? left : 32) + 1), HS_BYTES_NONE);
        break;
    case 4:
        put_at(at, 0, random_part(&current, 64));
        break;
    case 5:
        put_at(at, 0, random_part(&inputs[random_below(input_count)], 256));
        break;
    case 6:
        put_at(at, left, random_part(&inputs[random_below(input_count)], INPUT_BYTES_MAX));
        break;
    default:
        current.data[random_below(current.size)] += (uint8_t)(random_below(33) - 16);
    }
}

static void run_mutations(uint64_t seed, size_t count)
{
    for (size_t i = 0; i < count && input_count > 0; i++) {
        prng_state = seed + i * 0x2545f4914f6cdd1d;
        hs_buf_reset(&current);
        hs_buf_put_bytes(&current, hs_buf_bytes(&inputs[random_below(input_count)]));
        for (size_t left = 1 + random_below(MUTATIONS_MAX); left > 0; left--)
            mutate();
        run(hs_buf_bytes(&current));
    }
}

/* ---- main ---- */

static size_t number_of(const char *text)
{
    char *end = NULL;
    unsigned long long value = text != NULL ? strtoull(text, &end, 10) : 0;
    if (text == NULL || end == text || *end != '\0') {
        fprintf(stderr, "fuzz driver: a number, please\n");
        exit(2);
    }
    return (size_t)value;
}

int main(int argc, char **argv)
{
    const char *env = getenv("HS_SEED");
    uint64_t seed = env != NULL ? strtoull(env, NULL, 10) : DEFAULT_SEED;
    size_t count = DEFAULT_COUNT;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--count") == 0)
            count = number_of(argv[++i]);
        else if (strcmp(argv[i], "--write") == 0 && i + 1 < argc)
            write_dir = argv[++i];
        else
            add_path(argv[i]);
    }
    if (write_dir != NULL) {
        fuzz_seeds(write_seed);
        return 0;
    }
    signal(SIGABRT, leave_input);
    signal(SIGSEGV, leave_input);
    printf("HS_SEED=%" PRIu64 ": %zu inputs, then %zu mutations\n", seed, input_count, count);
    fflush(stdout);
    for (size_t i = 0; i < input_count; i++) {
        hs_buf_reset(&current);
        hs_buf_put_bytes(&current, hs_buf_bytes(&inputs[i]));
        run(hs_buf_bytes(&current));
    }
    run_mutations(seed, count);
    for (size_t i = 0; i < input_count; i++)
        hs_buf_fini(&inputs[i]);
    hs_buf_fini(&current);
    return 0;
}

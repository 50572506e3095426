/* hook_test.c -- a hook's program and its file, by themselves. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/daemon/hook.h"
#include "proto/base/thread.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 64

struct place {
    char dir[32];
    char path[PATH_BYTES], older[PATH_BYTES + 2], program[PATH_BYTES];
};

static int open_place(void **state)
{
    static struct place place;
    snprintf(place.dir, sizeof place.dir, "/tmp/hallsync-hook.XXXXXX");
    assert_non_null(mkdtemp(place.dir));
    snprintf(place.path, sizeof place.path, "%s/alarms", place.dir);
    snprintf(place.older, sizeof place.older, "%s.1", place.path);
    snprintf(place.program, sizeof place.program, "%s/program", place.dir);
    *state = &place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;
    unlink(place->path);
    unlink(place->older);
    unlink(place->program);
    return rmdir(place->dir);
}

/* ---- the file ---- */

static off_t size_of(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? file.st_size : -1;
}

static void the_file_does_not_grow_for_ever(void **state)
{
    struct place *place = *state;
    struct hs_why why = {0};
    char line[1024];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (unsigned i = 0; i < 1024; i++)
        assert_int_equal(hs_hook_append(place->path, HS_BYTES(line, sizeof line), &why), HS_OK);
    assert_int_equal(size_of(place->path), HS_HOOK_FILE_BYTES_MAX);
    assert_int_equal(size_of(place->older), -1);
    assert_int_equal(hs_hook_append(place->path, HS_BYTES(line, sizeof line), &why), HS_OK);
    assert_int_equal(size_of(place->path), sizeof line);
    assert_int_equal(size_of(place->older), HS_HOOK_FILE_BYTES_MAX);
}

static void what_is_no_file_keeps_nobody_waiting(void **state)
{
    struct place *place = *state;
    struct hs_why why = {0};
    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_int_equal(hs_hook_append(place->path, HS_BYTES("{}\n", 3), &why), HS_EIO);
    int reader = open(place->path, O_RDONLY | O_NONBLOCK);
    assert_int_equal(hs_hook_append(place->path, HS_BYTES("{}\n", 3), &why), HS_EIO);
    assert_non_null(strstr(why.text, "no file"));
    close(reader);
    assert_int_equal(hs_hook_append(place->dir, HS_BYTES("{}\n", 3), &why), HS_EIO);
    assert_int_equal(hs_hook_append("/dev/full", HS_BYTES("{}\n", 3), &why), HS_EIO);
}

/* As on a disk that is nearly full: the line would fit in part. */
static void half_a_line_does_not_stay(void **state)
{
    struct place *place = *state;
    struct hs_why why = {0};
    struct rlimit before, tight;
    assert_int_equal(hs_hook_append(place->path, HS_BYTES("{}\n", 3), &why), HS_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    tight.rlim_cur = 5;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    enum hs_err err = hs_hook_append(place->path, HS_BYTES("{\"a\":1}\n", 8), &why);
    off_t size = size_of(place->path);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(err, HS_EIO);
    assert_int_equal(size, 3);
    assert_non_null(strstr(why.text, "No space left"));
    assert_int_equal(hs_hook_append(place->path, HS_BYTES("{}\n", 3), &why), HS_OK);
    assert_int_equal(size_of(place->path), 6);
    assert_int_equal(unlink(place->path), 0); /* moved away by somebody: it is made anew */
    assert_int_equal(hs_hook_append(place->path, HS_BYTES("{}\n", 3), &why), HS_OK);
    assert_int_equal(size_of(place->path), 3);
}

/* A machine that lost its power may have kept a part of the last line. */
static void a_torn_line_does_not_take_the_next_with_it(void **state)
{
    struct place *place = *state;
    struct hs_why why = {0};
    char text[16] = "";
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    fputs("{\"a", file);
    fclose(file);
    assert_int_equal(hs_hook_append(place->path, HS_BYTES("{}\n", 3), &why), HS_OK);
    file = fopen(place->path, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), 7);
    fclose(file);
    assert_string_equal(text, "{\"a\n{}\n");
}

/* ---- the program ---- */

static void write_program(const struct place *place, const char *text)
{
    FILE *file = fopen(place->program, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", text);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(place->program, 0700), 0);
}

static void end_left(const struct place *place)
{
    char path[PATH_BYTES + 8];
    int pid = 0;
    snprintf(path, sizeof path, "%s.left", place->program);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    unlink(path);
    assert_int_equal(kill(pid, SIGKILL), 0);
}

static enum hs_err run(const struct place *place, unsigned within_ms, struct hs_why *why)
{
    struct hs_hook_run run = {.fd = -1};
    bool ended = false;
    enum hs_err err = hs_hook_start(&run, place->program, HS_BYTES("{}\n", 3), hs_tick_ms() + within_ms, why);
    while (err == HS_OK && !ended) {
        uint64_t now_ms = hs_tick_ms();
        int wait_ms = run.killed || now_ms > run.ends_ms ? -1 : (int)(run.ends_ms - now_ms);
        poll(&(struct pollfd){.fd = run.fd, .events = POLLIN}, 1, wait_ms);
        err = hs_hook_look(&run, hs_tick_ms(), &ended, why);
    }
    assert_int_equal(run.pid, 0);
    return err;
}

static void a_program_gets_its_document_and_ends(void **state)
{
    struct place *place = *state;
    struct hs_why why = {0};
    char text[PATH_BYTES + 64];
    snprintf(text, sizeof text, "cat > %s; kill -0 $$", place->path);
    write_program(place, text);
    assert_int_equal(run(place, 30000, &why), HS_OK);
    assert_int_equal(size_of(place->path), 3);
    write_program(place, "exit 0"); /* it need not read */
    assert_int_equal(run(place, 30000, &why), HS_OK);
    write_program(place, "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2"); /* nobody reads it */
    assert_int_equal(run(place, 30000, &why), HS_OK);
    write_program(place, "sleep 1000 > /dev/null & echo $! > \"$0.left\""); /* what it leaves behind keeps nobody */
    assert_int_equal(run(place, 30000, &why), HS_OK);
    end_left(place);
    write_program(place, "trap '' PIPE; head -c 1 /dev/zero | true; exit 7");
    assert_int_equal(run(place, 30000, &why), HS_EIO);
    assert_string_equal(why.text, "its exit status is 7");
    write_program(place, "kill -TERM $$"); /* which the daemon has blocked */
    assert_int_equal(run(place, 30000, &why), HS_EIO);
    assert_string_equal(why.text, "it was ended by signal 15");
}

static void one_that_hangs_is_killed(void **state)
{
    struct place *place = *state;
    struct hs_why why = {0};
    write_program(place, "trap '' TERM INT; sleep 1000 & wait");
    assert_int_equal(run(place, 20, &why), HS_EIO);
    assert_string_equal(why.text, "it took too long and was killed");
    struct hs_hook_run running = {.fd = -1};
    assert_int_equal(hs_hook_start(&running, place->program, HS_BYTES("{}\n", 3), UINT64_MAX, &why), HS_OK);
    hs_hook_kill(&running);
    assert_int_equal(running.pid, 0);
    hs_hook_kill(&running); /* as often as one likes */
}

static void one_that_cannot_be_run_says_why(void **state)
{
    struct place *place = *state;
    struct hs_why why = {0};
    assert_int_equal(run(place, 30000, &why), HS_EIO);
    assert_non_null(strstr(why.text, "No such file"));
    write_program(place, "exit 0");
    assert_int_equal(chmod(place->program, 0600), 0);
    assert_int_equal(run(place, 30000, &why), HS_EIO);
    assert_non_null(strstr(why.text, "Permission denied"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_file_does_not_grow_for_ever),
        CASE(what_is_no_file_keeps_nobody_waiting),
        CASE(a_program_gets_its_document_and_ends),
        CASE(one_that_hangs_is_killed),
        CASE(one_that_cannot_be_run_says_why),
        CASE(half_a_line_does_not_stay),
        CASE(a_torn_line_does_not_take_the_next_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sealed_test.c -- proto/sealed: who may open a file, what is refused and how it is said, files on a disk. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "proto/base/limits.h"
#include "proto/sealed/sealed_file.h"
#include "tests/lib/sealed_world.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sealed_world world;

static int begin(void **state)
{
    (void)state;
    sealed_world_init(&world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sealed_world_fini(&world);
    return 0;
}

static void make(const struct hs_sealed_draft *draft, struct hs_buf *file)
{
    struct hs_sealed_sink sink = sealed_sink(file);
    struct hs_sealer *sealer;
    assert_int_equal(hs_sealer_open(draft, &sink, &sealer, NULL), HS_OK);
    assert_int_equal(hs_sealer_put(sealer, 1, HS_BYTES("one", 3)), HS_OK);
    assert_int_equal(hs_sealer_put(sealer, 7, HS_BYTES_NONE), HS_OK);
    assert_int_equal(hs_sealer_put(sealer, 255, HS_BYTES("three", 5)), HS_OK);
    assert_int_equal(hs_sealer_finish(sealer, HS_BYTES("manifest", 8)), HS_OK);
    assert_int_equal(hs_sealer_bytes(sealer), file->size);
    hs_sealer_close(sealer);
}

static const char *const SAID = "1:one;7:;255:three;|manifest";

static void assert_says(const struct hs_sealed_opening *opening, struct hs_bytes file, const char *said)
{
    struct hs_buf read = {0};
    struct hs_why why = {""};
    enum hs_err err = sealed_read_all(opening, file, &read, &why);
    if (err != HS_OK)
        fail_msg("%s: %s", hs_err_name(err), why.text);
    assert_int_equal(read.size, strlen(said));
    assert_memory_equal(read.data, said, read.size);
    hs_buf_fini(&read);
}

static void assert_refused(const struct hs_sealed_opening *opening, struct hs_bytes file, enum hs_err expected,
                           const char *text)
{
    struct hs_buf read = {0};
    struct hs_why why = {""};
    assert_string_equal(hs_err_name(sealed_read_all(opening, file, &read, &why)), hs_err_name(expected));
    if (strstr(why.text, text) == NULL)
        fail_msg("said '%s', and not '%s'", why.text, text);
    hs_buf_fini(&read);
}

/* ---- who may open it ---- */

static void test_every_recipient_opens_it(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BACKUP, 2);
    struct hs_buf file = {0};
    make(&draft, &file);
    struct hs_sealed_opening first = sealed_opening(&world, 0), second = sealed_opening(&world, 1);
    assert_says(&first, hs_buf_bytes(&file), SAID);
    assert_says(&second, hs_buf_bytes(&file), SAID);
    struct hs_sealed_opening third = sealed_opening(&world, 2);
    assert_refused(&third, hs_buf_bytes(&file), HS_ERECIPIENT, "sealed to others");
    hs_buf_fini(&file);
}

static void test_a_wrong_secret_opens_nothing(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BACKUP, 1);
    struct hs_buf file = {0};
    make(&draft, &file);
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    opening.secret = world.secret[1];
    assert_refused(&opening, hs_buf_bytes(&file), HS_EDAMAGED, "makes no sense");
    hs_buf_fini(&file);
}

/* The sender is no recipient, but reads back what it has just written. */
static void test_file_key_opens_it(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1);
    struct hs_buf file = {0}, read = {0};
    struct hs_sealed_sink sink = sealed_sink(&file);
    struct hs_sealer *sealer;
    assert_int_equal(hs_sealer_open(&draft, &sink, &sealer, NULL), HS_OK);
    assert_int_equal(hs_sealer_finish(sealer, HS_BYTES("m", 1)), HS_OK);
    struct hs_sealed_opening opening = {.file_key = hs_sealer_key(sealer)};
    assert_int_equal(sealed_read_all(&opening, hs_buf_bytes(&file), &read, NULL), HS_OK);
    assert_memory_equal(read.data, "|m", 2);
    hs_sealer_close(sealer);
    hs_buf_fini(&file);
    hs_buf_fini(&read);
}

/* Who carries a file can see whose it is and that it is whole, and nothing else. */
static void test_without_a_key_form_and_signature_are_checked(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1);
    struct hs_sealed_opening opening = sealed_opening(&world, 9);
    struct hs_buf file = {0};
    make(&draft, &file);
    assert_says(&opening, hs_buf_bytes(&file), "|");
    file.data[file.size - 80] ^= 1;
    assert_refused(&opening, hs_buf_bytes(&file), HS_ESIGNATURE, "jb-hub");
    hs_buf_fini(&file);
}

static void test_header_says_what_it_is(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_RECEIPTS, 3);
    struct hs_sealed_opening opening = sealed_opening(&world, 2);
    struct hs_buf file = {0};
    make(&draft, &file);
    struct sealed_memory memory = {.left = hs_buf_bytes(&file), .piece = 1};
    struct hs_sealed_source source = {sealed_read, &memory};
    struct hs_unsealer *unsealer;
    assert_int_equal(hs_unsealer_open(&opening, &source, &unsealer, NULL), HS_OK);
    const struct hs_sealed_header *header = hs_unsealer_header(unsealer);
    assert_int_equal(header->purpose, HS_SEALED_RECEIPTS);
    assert_string_equal(header->sender.node_id, "jb-hub");
    assert_int_equal(header->made_ms, draft.made_ms);
    assert_int_equal(header->recipient_count, 3);
    assert_int_equal(hs_unsealer_manifest(unsealer).size, 0); /* not before the end */
    assert_int_equal(hs_unsealer_verify(unsealer, NULL), HS_OK);
    assert_int_equal(hs_unsealer_manifest(unsealer).size, 8);
    hs_unsealer_close(unsealer);
    hs_buf_fini(&file);
}

/* ---- what is refused ---- */

static void test_something_else_is_named(void **state)
{
    (void)state;
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    assert_refused(&opening, HS_BYTES_NONE, HS_ENOTSEALED, "no backup and no bundle");
    assert_refused(&opening, HS_BYTES("PK\3\4 something that is no sealed file", 38), HS_ENOTSEALED, "no backup");
    assert_refused(&opening, HS_BYTES("hallsync sealed x\n and more", 27), HS_ENOTSEALED, "no backup");
    assert_refused(&opening, HS_BYTES("hallsync sealed 2\n and more", 27), HS_ENEWERFILE, "newer version");
    assert_refused(&opening, HS_BYTES("hallsync se", 11), HS_ECUTSHORT, "after 11 bytes");
}

static void test_purpose_and_region_are_checked(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1);
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    struct hs_buf file = {0};
    make(&draft, &file);
    opening.purpose = HS_SEALED_BACKUP;
    assert_refused(&opening, hs_buf_bytes(&file), HS_EPURPOSE, "bundle, and not backup");
    opening.purpose = HS_SEALED_BUNDLE;
    opening.root_key = &world.issuer_key;
    assert_refused(&opening, hs_buf_bytes(&file), HS_EREGION, "another region");
    opening.root_key = NULL;
    assert_says(&opening, hs_buf_bytes(&file), SAID);
    hs_buf_fini(&file);
}

static void test_signature_of_another_is_refused(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1);
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    struct hs_buf file = {0};
    draft.signer = hs_signer_of(&world.issuer);
    make(&draft, &file);
    assert_refused(&opening, hs_buf_bytes(&file), HS_ESIGNATURE, "not signed by jb-hub");
    hs_buf_fini(&file);
}

static void test_certificate_of_another_root_is_refused(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1);
    struct hs_sealed_opening opening = {.public_key = &world.recipient[0], .secret = world.secret[0]};
    struct hs_buf file = {0};
    draft.root_key = world.issuer_key;
    make(&draft, &file);
    assert_refused(&opening, hs_buf_bytes(&file), HS_ECERT, "does not hold");
    hs_buf_fini(&file);
}

static void test_what_follows_the_end_is_refused(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1);
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    struct hs_buf file = {0};
    make(&draft, &file);
    hs_buf_put_u8(&file, 0);
    assert_refused(&opening, hs_buf_bytes(&file), HS_EDAMAGED, "behind its end");
    hs_buf_fini(&file);
}

/* The same failure again, and no item of it. */
/* Its size is known from its form, however much more there is behind it; of each beginning, that more is needed. */
static void test_one_of_several_is_measured(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1);
    struct hs_buf file = {0};
    size_t size = 0;
    make(&draft, &file);
    size_t whole = file.size;
    hs_buf_put(&file, "behind", 6);
    assert_int_equal(hs_sealed_size(hs_buf_bytes(&file), whole, &size), HS_OK);
    assert_int_equal(size, whole);
    assert_int_equal(hs_sealed_size(hs_buf_bytes(&file), whole - 1, &size), HS_ETOOBIG);
    for (size_t cut = 0; cut < whole; cut++)
        assert_int_equal(hs_sealed_size(HS_BYTES(file.data, cut), whole, &size), HS_ECUTSHORT);
    assert_int_equal(hs_sealed_size(HS_BYTES("PK", 2), whole, &size), HS_ENOTSEALED);
    file.data[18] = 0x7f; /* of the header's size */
    assert_int_equal(hs_sealed_size(hs_buf_bytes(&file), whole, &size), HS_EDAMAGED);
    file.data[16]++;
    assert_int_equal(hs_sealed_size(hs_buf_bytes(&file), whole, &size), HS_ENEWERFILE);
    hs_buf_fini(&file);
}

static void test_a_failure_stays(void **state)
{
    (void)state;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1);
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    struct hs_buf file = {0};
    make(&draft, &file);
    struct sealed_memory memory = {.left = {file.data, file.size - 1}, .piece = 0};
    struct hs_sealed_source source = {sealed_read, &memory};
    struct hs_unsealer *unsealer;
    struct hs_sealed_item item;
    struct hs_why why;
    assert_int_equal(hs_unsealer_open(&opening, &source, &unsealer, NULL), HS_OK);
    assert_int_equal(hs_unsealer_verify(unsealer, NULL), HS_ECUTSHORT);
    assert_int_equal(hs_unsealer_next(unsealer, &item, &why), HS_ECUTSHORT);
    assert_int_equal(item.type, 0);
    assert_non_null(strstr(why.text, "before its end"));
    assert_int_equal(hs_unsealer_manifest(unsealer).size, 0);
    hs_unsealer_close(unsealer);
    hs_buf_fini(&file);
}

static void test_limits_of_the_writer(void **state)
{
    (void)state;
    struct hs_buf file = {0};
    struct hs_sealed_sink sink = sealed_sink(&file);
    struct hs_sealer *sealer;
    struct hs_why why;
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 0);
    assert_int_equal(hs_sealer_open(&draft, &sink, &sealer, &why), HS_EINVAL);
    draft.recipient_count = HS_SEALED_RECIPIENTS_MAX + 1;
    assert_int_equal(hs_sealer_open(&draft, &sink, &sealer, &why), HS_EINVAL);
    static const struct hs_key ZERO;
    draft.recipients = &ZERO;
    draft.recipient_count = 1;
    assert_int_equal(hs_sealer_open(&draft, &sink, &sealer, &why), HS_EINVAL);
    assert_non_null(strstr(why.text, "recipient 1"));
    draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1);
    assert_int_equal(hs_sealer_open(&draft, &sink, &sealer, &why), HS_OK);
    static const uint8_t LARGE[HS_SEALED_ITEM_BYTES_MAX + 1];
    assert_int_equal(hs_sealer_put(sealer, 1, HS_BYTES(LARGE, sizeof LARGE)), HS_ETOOBIG);
    assert_int_equal(hs_sealer_finish(sealer, HS_BYTES_NONE), HS_ETOOBIG); /* no file of half the items */
    hs_sealer_close(sealer);
    hs_buf_fini(&file);
}

/* ---- recovery keys ---- */

static void test_recovery_key_text(void **state)
{
    (void)state;
    char text[HS_RECOVERY_TEXT_BYTES];
    struct hs_key key;
    hs_recovery_text(&world.recipient[0], text);
    assert_memory_equal(text, "hsr1-", 5);
    assert_int_equal(hs_recovery_parse(text, &key), HS_OK);
    assert_true(hs_key_equal(&key, &world.recipient[0]));
    for (size_t i = 0; text[i] != '\0'; i++) { /* any slip of the hand */
        char wrong[HS_RECOVERY_TEXT_BYTES];
        memcpy(wrong, text, sizeof wrong);
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        assert_int_equal(hs_recovery_parse(wrong, &key), HS_EVALUE);
        wrong[i] = '\0';
        assert_int_equal(hs_recovery_parse(wrong, &key), HS_EVALUE);
    }
}

/* ---- files ---- */

static void test_file_is_there_whole_or_not_at_all(void **state)
{
    (void)state;
    char dir[] = "/tmp/hallsync-sealed-XXXXXX", path[PATH_MAX], part[PATH_MAX];
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BACKUP, 1);
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    struct hs_sealed_out *out, *second;
    struct hs_sealer *sealer;
    struct stat status;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a.backup", dir);
    snprintf(part, sizeof part, "%s/a.backup.part", dir);
    for (int commit = 0; commit < 2; commit++) {
        assert_int_equal(hs_sealed_out_open(path, &out, NULL), HS_OK);
        assert_int_equal(hs_sealed_out_open(path, &second, NULL), HS_ELOCKED);
        struct hs_sealed_sink sink = hs_sealed_out_sink(out);
        assert_int_equal(hs_sealer_open(&draft, &sink, &sealer, NULL), HS_OK);
        assert_int_equal(hs_sealer_finish(sealer, HS_BYTES("m", 1)), HS_OK);
        hs_sealer_close(sealer);
        assert_int_equal(access(path, F_OK), -1);
        if (commit == 1)
            assert_int_equal(hs_sealed_out_commit(out, NULL), HS_OK);
        hs_sealed_out_close(out);
        assert_int_equal(access(part, F_OK), -1);
    }
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(hs_sealed_out_open(path, &out, NULL), HS_EEXISTS);
    struct hs_sealed_in *in;
    struct hs_unsealer *unsealer;
    assert_int_equal(hs_sealed_in_open(path, &in, NULL), HS_OK);
    struct hs_sealed_source source = hs_sealed_in_source(in);
    assert_int_equal(hs_unsealer_open(&opening, &source, &unsealer, NULL), HS_OK);
    assert_int_equal(hs_unsealer_verify(unsealer, NULL), HS_OK);
    assert_int_equal(hs_sealed_in_done(in), hs_sealed_in_size(in));
    hs_unsealer_close(unsealer);
    hs_sealed_in_close(in);
    assert_int_equal(hs_sealed_in_open(dir, &in, NULL), HS_EINVAL);
    assert_int_equal(hs_sealed_in_open(part, &in, NULL), HS_ENOTFOUND);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(hs_sealed_in_open(path, &in, NULL), HS_EINVAL); /* at once: nobody writes to it */
    unlink(path);
    rmdir(dir);
}

/* A name that appears meanwhile is not written over. */
static void test_file_replaces_nothing(void **state)
{
    (void)state;
    char dir[] = "/tmp/hallsync-sealed-XXXXXX", path[PATH_MAX];
    struct hs_sealed_out *out;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a.backup", dir);
    assert_int_equal(hs_sealed_out_open(path, &out, NULL), HS_OK);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(hs_sealed_out_commit(out, NULL), HS_EEXISTS);
    hs_sealed_out_close(out);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_recipient_opens_it),
        cmocka_unit_test(test_a_wrong_secret_opens_nothing),
        cmocka_unit_test(test_file_key_opens_it),
        cmocka_unit_test(test_without_a_key_form_and_signature_are_checked),
        cmocka_unit_test(test_header_says_what_it_is),
        cmocka_unit_test(test_something_else_is_named),
        cmocka_unit_test(test_purpose_and_region_are_checked),
        cmocka_unit_test(test_signature_of_another_is_refused),
        cmocka_unit_test(test_certificate_of_another_root_is_refused),
        cmocka_unit_test(test_what_follows_the_end_is_refused),
        cmocka_unit_test(test_one_of_several_is_measured),
        cmocka_unit_test(test_a_failure_stays),
        cmocka_unit_test(test_limits_of_the_writer),
        cmocka_unit_test(test_recovery_key_text),
        cmocka_unit_test(test_file_is_there_whole_or_not_at_all),
        cmocka_unit_test(test_file_replaces_nothing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

/* keys_test.c -- node/link: key files, files written whole, enrolment and joining, and the link's small parts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/link/address.h"
#include "node/link/backoff.h"
#include "node/enrol/enrol.h"
#include "node/link/join.h"
#include "node/link/keys.h"
#include "node/link/keyset.h"
#include "node/link/link.h"
#include "node/link/roster.h"
#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/peer.pb-c.h"

#include <dirent.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define NOW_MS        1800000000000
#define HOUR_MS       3600000

/* For the thread sanitizer: libzmq (which decrypts by libsodium) is not built with it, so that it cannot see what
 * orders libzmq's threads. */
const char *__tsan_default_suppressions(void) __attribute__((visibility("default")));
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libzmq.so\ncalled_from_lib:libsodium.so\n";
}

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/hallsync-keys-XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static const char *in_dir(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static unsigned mode_of(const char *name)
{
    struct stat status;
    assert_int_equal(stat(in_dir(name), &status), 0);
    return status.st_mode & 07777;
}

static size_t files_in(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

/* ---- files ---- */

static void file_is_written_whole_and_replaced(void **state)
{
    (void)state;
    struct hs_buf content = {0};
    struct hs_why why;
    assert_int_equal(hs_file_write(in_dir("a"), TEXT("first"), 0644, &why), HS_OK);
    assert_int_equal(hs_file_write(in_dir("a"), TEXT("other"), 0600, &why), HS_OK);
    assert_int_equal(mode_of("a"), 0600);
    assert_int_equal(files_in(dir), 1);
    assert_int_equal(hs_file_read(in_dir("a"), 5, &content, &why), HS_OK);
    assert_true(hs_bytes_equal(hs_buf_bytes(&content), TEXT("other")));
    assert_int_equal(hs_file_read(in_dir("a"), 4, &content, &why), HS_ETOOBIG);
    hs_buf_fini(&content);
}

static void created_file_never_replaces(void **state)
{
    (void)state;
    struct hs_buf content = {0};
    struct hs_why why;
    assert_int_equal(hs_file_create(in_dir("a"), TEXT("first"), 0600, &why), HS_OK);
    assert_int_equal(hs_file_create(in_dir("a"), TEXT("other"), 0600, &why), HS_EEXISTS);
    assert_int_equal(files_in(dir), 1);
    assert_int_equal(hs_file_read(in_dir("a"), 100, &content, NULL), HS_OK);
    assert_true(hs_bytes_equal(hs_buf_bytes(&content), TEXT("first")));
    hs_buf_fini(&content);
}

/* A text ends with a zero without being moved for it: of a secret no copy may be left. */
static void what_is_read_ends_with_a_zero(void **state)
{
    (void)state;
    uint8_t bytes[128];
    memset(bytes, 'x', sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size += 32) {
        struct hs_buf content = {0};
        assert_int_equal(hs_file_write(in_dir("zero"), HS_BYTES(bytes, size), 0600, NULL), HS_OK);
        assert_int_equal(hs_file_read_secret(in_dir("zero"), sizeof bytes, &content, NULL), HS_OK);
        assert_int_equal(content.size, size);
        assert_true(content.room > size);
        assert_int_equal(content.data[size], 0);
        hs_buf_fini(&content);
    }
    assert_int_equal(remove(in_dir("zero")), 0);
}

static void file_errors_name_the_file(void **state)
{
    (void)state;
    struct hs_buf content = {0};
    struct hs_why why = {0};
    assert_int_equal(hs_file_read(in_dir("none"), 10, &content, &why), HS_ENOTFOUND);
    assert_non_null(strstr(why.text, "/none"));
    assert_int_equal(hs_file_read(dir, 10, &content, &why), HS_EINVAL);
    assert_int_equal(mkfifo(in_dir("pipe"), 0600), 0);
    assert_int_equal(hs_file_read(in_dir("pipe"), 10, &content, &why), HS_EINVAL); /* at once: nobody writes to it */
    assert_int_not_equal(hs_file_write(in_dir("no/where"), TEXT("x"), 0600, &why), HS_OK);
    assert_non_null(strstr(why.text, "/no/where"));
    assert_int_equal(hs_file_write(in_dir("open"), TEXT("x"), 0640, &why), HS_OK);
    assert_int_equal(hs_file_read_secret(in_dir("open"), 10, &content, &why), HS_EPERM);
    assert_non_null(strstr(why.text, "chmod 600"));
    assert_int_equal(content.size, 0);
    hs_buf_fini(&content);
}

/* ---- keys ---- */

static const struct hs_keys_draft HUB = {.region = "Jiangsu", .node_id = "hub-1", .home = 3201, .now_ms = NOW_MS};

static void hub_keys_are_made_once_and_loaded(void **state)
{
    (void)state;
    static const char *const SECRETS[] = {"keys/root.key", "keys/issuer.key", "keys/node.key", "keys/curve.key"};
    struct hs_keys keys = {0};
    struct hs_why why = {0};
    struct hs_certificate certificate;
    assert_int_equal(hs_keys_make_hub(dir, &HUB, &why), HS_OK);
    assert_int_equal(mode_of("keys"), 0700);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mode_of(SECRETS[i]), 0600);
    assert_int_equal(hs_keys_make_hub(dir, &HUB, &why), HS_EEXISTS);
    assert_int_equal(hs_keys_load(dir, &keys, &why), HS_OK);
    assert_non_null(keys.issuer);
    assert_true(keys.issuer_signed.size > 0);
    assert_int_equal(hs_certificate_verify(hs_buf_bytes(&keys.certificate), &keys.root_key, &certificate), HS_OK);
    assert_int_equal(certificate.role, HS_ROLE_HUB);
    assert_string_equal(certificate.node_id, "hub-1");
    assert_string_equal(certificate.region, "Jiangsu");
    assert_int_equal(certificate.home, 3201);
    assert_true(certificate.issued_ms == NOW_MS);
    assert_true(hs_key_equal(&certificate.curve_key, &keys.curve_key));
    struct hs_key curve_key;
    crypto_scalarmult_base(curve_key.bytes, keys.curve_secret);
    assert_true(hs_key_equal(&curve_key, &keys.curve_key));
    hs_keys_free(&keys);
    hs_keys_free(&keys);
}

/* The root key may be taken off the machine. */
static void hub_needs_no_root_key(void **state)
{
    (void)state;
    struct hs_keys keys = {0};
    assert_int_equal(hs_keys_make_hub(dir, &HUB, NULL), HS_OK);
    assert_int_equal(unlink(in_dir("keys/root.key")), 0);
    assert_int_equal(hs_keys_load(dir, &keys, NULL), HS_OK);
    hs_keys_free(&keys);
}

static void keys_that_others_can_read_are_refused(void **state)
{
    (void)state;
    struct hs_keys keys = {0};
    struct hs_why why = {0};
    assert_int_equal(hs_keys_make_hub(dir, &HUB, NULL), HS_OK);
    assert_int_equal(chmod(in_dir("keys/curve.key"), 0604), 0);
    assert_int_equal(hs_keys_load(dir, &keys, &why), HS_EPERM);
    assert_non_null(strstr(why.text, "chmod 600"));
    assert_non_null(strstr(why.text, "keys/curve.key"));
    assert_null(keys.node);
}

static void broken_keys_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"", "00", "zz", "\n",
                                      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefff\n"};
    struct hs_keys keys = {0};
    assert_int_equal(hs_keys_load(dir, &keys, NULL), HS_ENOSTORE);
    assert_int_equal(hs_keys_make_hub(dir, &HUB, NULL), HS_OK);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_equal(hs_file_write(in_dir("keys/node.key"), HS_BYTES(BAD[i], strlen(BAD[i])), 0600, NULL), HS_OK);
        enum hs_err err = hs_keys_load(dir, &keys, NULL);
        assert_true(err == HS_EMALFORMED || err == HS_ETOOBIG);
    }
    static const char OTHER[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
    assert_int_equal(hs_file_write(in_dir("keys/node.key"), TEXT(OTHER), 0600, NULL), HS_OK);
    assert_int_equal(hs_keys_load(dir, &keys, NULL), HS_ECERT);
    assert_null(keys.node);
}

static void bad_hub_id_leaves_nothing(void **state)
{
    (void)state;
    struct hs_keys_draft draft = HUB;
    draft.node_id = "Hub 1";
    assert_int_equal(hs_keys_make_hub(dir, &draft, NULL), HS_EINVAL);
    assert_int_equal(files_in(dir), 0);
}

static void hall_takes_its_earlier_keys_again(void **state)
{
    (void)state;
    struct hs_keys first = {0};
    struct hs_keys second = {0};
    assert_int_equal(hs_keys_make_hall(dir, &first, NULL), HS_OK);
    assert_int_equal(hs_keys_make_hall(dir, &second, NULL), HS_OK);
    assert_true(hs_key_equal(&first.node_key, &second.node_key));
    assert_true(hs_key_equal(&first.curve_key, &second.curve_key));
    assert_memory_equal(first.curve_secret, second.curve_secret, 32);
    assert_null(first.issuer);
    hs_keys_free(&second);
    assert_int_equal(hs_keys_load(dir, &second, NULL), HS_ENOSTORE); /* not joined yet */
    hs_keys_free(&first);
}

/* ---- enrolment ---- */

struct enrolling {
    struct hs_keys hub, hall;
    struct hs_certificate hub_certificate;
    char hub_dir[96], hall_dir[96];
    struct hs_token token;
    struct hs_hash secret_hash;
    struct hs_enrolment enrolment;
};

static void start_enrolling(struct enrolling *with)
{
    static const hs_partition DISTRICTS[] = {3205, 3201, 3205, 3202};
    static const char *const ADDRESSES[] = {"tcp://hub.example:7700", "tcp://10.0.0.1:7700"};
    struct hs_enrol_draft draft = {.node_id = "nj-chengbei", .role = HS_ROLE_HALL, .districts = DISTRICTS};
    struct hs_buf text = {0};
    *with = (struct enrolling){0};
    snprintf(with->hub_dir, sizeof with->hub_dir, "%s/hub", dir);
    snprintf(with->hall_dir, sizeof with->hall_dir, "%s/hall", dir);
    assert_int_equal(mkdir(with->hub_dir, 0700) | mkdir(with->hall_dir, 0700), 0);
    assert_int_equal(hs_keys_make_hub(with->hub_dir, &HUB, NULL), HS_OK);
    assert_int_equal(hs_keys_load(with->hub_dir, &with->hub, NULL), HS_OK);
    assert_int_equal(hs_keys_make_hall(with->hall_dir, &with->hall, NULL), HS_OK);
    struct hs_bytes encoded = hs_buf_bytes(&with->hub.certificate);
    assert_int_equal(hs_certificate_verify(encoded, &with->hub.root_key, &with->hub_certificate), HS_OK);
    draft.district_count = 4;
    draft.now_ms = NOW_MS;
    draft.ttl_ms = 24 * HOUR_MS;
    assert_int_equal(
        hs_enrol_token(&draft, &with->hub_certificate, ADDRESSES, 2, &text, &with->secret_hash, &with->enrolment, NULL),
        HS_OK);
    hs_buf_put_u8(&text, 0);
    assert_int_equal(hs_token_decode((const char *)text.data, &with->token), HS_OK);
    hs_buf_fini(&text);
}

static void end_enrolling(struct enrolling *with)
{
    hs_keys_free(&with->hub);
    hs_keys_free(&with->hall);
}

/* The body of PeerJoin of the hall, or with something wrong about it. */
static void make_ask(const struct enrolling *with, const struct hs_keys *signs, size_t curve_bytes, struct hs_buf *body)
{
    struct hs_signature proof;
    struct hs_signer signer = hs_signer_of(signs->node);
    assert_int_equal(hs_join_sign(with->token.secret, &with->hall.node_key, &with->hall.curve_key, &signer, &proof),
                     HS_OK);
    hs_tlv_put_bytes(body, 1, HS_BYTES(with->token.secret, sizeof with->token.secret));
    hs_tlv_put_bytes(body, 2, HS_BYTES(with->hall.node_key.bytes, HS_KEY_BYTES));
    hs_tlv_put_bytes(body, 3, HS_BYTES(with->hall.curve_key.bytes, curve_bytes));
    hs_tlv_put_bytes(body, 4, HS_BYTES(proof.bytes, sizeof proof.bytes));
}

static void token_names_what_the_hall_needs(void **state)
{
    (void)state;
    struct enrolling with;
    start_enrolling(&with);
    assert_string_equal(with.token.node_id, "nj-chengbei");
    assert_string_equal(with.token.region, "Jiangsu");
    assert_int_equal(with.token.address_count, 2);
    assert_string_equal(with.token.addresses[1], "tcp://10.0.0.1:7700");
    assert_true(hs_key_equal(&with.token.root_key, &with.hub.root_key));
    assert_true(hs_key_equal(&with.token.hub_curve_key, &with.hub.curve_key));
    assert_true(with.token.expires_ms == NOW_MS + 24 * (uint64_t)HOUR_MS);
    assert_true(with.enrolment.expires_ms == with.token.expires_ms);
    assert_int_equal(with.enrolment.district_count, 3);
    assert_int_equal(with.enrolment.districts[0], 3205);
    struct hs_hash hash = hs_enrol_secret_hash(with.token.secret);
    assert_true(hs_hash_equal(&hash, &with.secret_hash));
    end_enrolling(&with);
}

static void bad_drafts_are_refused(void **state)
{
    (void)state;
    static const hs_partition DISTRICTS[] = {3201, 3202, 10000};
    static const char *const ADDRESSES[] = {"tcp://a:1"};
    struct hs_certificate hub = {.region = "r"};
    struct hs_buf text = {0};
    struct hs_hash hash;
    struct hs_enrolment enrolment;
    const struct {
        const char *id;
        enum hs_role role;
        size_t districts, addresses;
    } BAD[] = {{"9", HS_ROLE_HALL, 1, 1}, {"a", HS_ROLE_HALL, 0, 1}, {"a", HS_ROLE_HALL, 3, 1},
               {"a", HS_ROLE_HUB, 2, 1},  {"a", HS_ROLE_HALL, 1, 0}, {"a", HS_ROLE_HALL, HS_SCOPE_MAX + 1, 1},
               {"a", HS_ROLE_HALL, 1, 99}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct hs_enrol_draft draft = {.node_id = BAD[i].id, .role = BAD[i].role, .districts = DISTRICTS};
        draft.district_count = BAD[i].districts;
        assert_int_equal(hs_enrol_token(&draft, &hub, ADDRESSES, BAD[i].addresses, &text, &hash, &enrolment, NULL),
                         HS_EVALUE);
    }
    hs_buf_fini(&text);
}

static void join_is_decided_by_the_token(void **state)
{
    (void)state;
    struct enrolling with;
    struct hs_buf body = {0};
    struct hs_enrol_ask ask;
    bool again = true;
    start_enrolling(&with);
    make_ask(&with, &with.hall, HS_KEY_BYTES, &body);
    assert_int_equal(hs_enrol_read(hs_buf_bytes(&body), &with.hall.curve_key, &ask), HS_OK);
    assert_true(hs_hash_equal(&ask.secret_hash, &with.secret_hash));
    assert_int_equal(hs_enrol_decide(&with.enrolment, &ask, NOW_MS, &again), HS_OK);
    assert_false(again);
    assert_int_equal(hs_enrol_decide(&with.enrolment, &ask, NOW_MS + 24 * (uint64_t)HOUR_MS, &again), HS_ETOKENEXPIRED);
    with.enrolment.used = true;
    assert_int_equal(hs_enrol_decide(&with.enrolment, &ask, NOW_MS, &again), HS_ETOKENUSED);
    with.enrolment.used_by = ask.node_key;
    assert_int_equal(hs_enrol_decide(&with.enrolment, &ask, NOW_MS + 99 * (uint64_t)HOUR_MS, &again), HS_OK);
    assert_true(again);
    hs_buf_fini(&body);
    end_enrolling(&with);
}

static void join_must_be_proven(void **state)
{
    (void)state;
    struct enrolling with;
    struct hs_buf body = {0};
    struct hs_enrol_ask ask;
    start_enrolling(&with);
    make_ask(&with, &with.hub, HS_KEY_BYTES, &body); /* signed by another key */
    assert_int_equal(hs_enrol_read(hs_buf_bytes(&body), &with.hall.curve_key, &ask), HS_ESIGNATURE);
    hs_buf_reset(&body);
    make_ask(&with, &with.hall, HS_KEY_BYTES, &body); /* through somebody else's link */
    assert_int_equal(hs_enrol_read(hs_buf_bytes(&body), &with.hub.curve_key, &ask), HS_EREFUSED);
    hs_buf_reset(&body);
    make_ask(&with, &with.hall, HS_KEY_BYTES - 1, &body);
    assert_int_equal(hs_enrol_read(hs_buf_bytes(&body), &with.hall.curve_key, &ask), HS_EMALFORMED);
    assert_int_equal(hs_enrol_read(TEXT("\xff\xff"), &with.hall.curve_key, &ask), HS_EMALFORMED);
    assert_int_equal(hs_enrol_read(HS_BYTES_NONE, &with.hall.curve_key, &ask), HS_EMALFORMED);
    hs_buf_fini(&body);
    end_enrolling(&with);
}

static void certificate_is_made_saved_and_loaded(void **state)
{
    (void)state;
    struct enrolling with;
    struct hs_buf certificate = {0};
    struct hs_keys loaded = {0};
    struct hs_certificate read;
    start_enrolling(&with);
    struct hs_enrol_ask ask = {.node_key = with.hall.node_key, .curve_key = with.hall.curve_key};
    struct hs_enrol_issuer issuer = {hs_buf_bytes(&with.hub.issuer_signed), with.hub.issuer};
    assert_int_equal(hs_enrol_certificate(&with.enrolment, &ask, &issuer, NOW_MS, &certificate), HS_OK);
    assert_true(with.enrolment.used);
    assert_true(hs_key_equal(&with.enrolment.used_by, &ask.node_key));
    assert_int_equal(hs_certificate_verify(hs_buf_bytes(&certificate), &with.token.root_key, &read), HS_OK);
    assert_int_equal(read.home, 3205);
    assert_int_equal(read.district_count, 3);
    assert_int_equal(read.districts[0], 3201);
    assert_int_equal(read.districts[2], 3205);
    assert_int_equal(hs_keys_save_certificate(with.hall_dir, hs_buf_bytes(&certificate),
                                              hs_buf_bytes(&with.hub.certificate), &with.token.root_key, NULL),
                     HS_OK);
    assert_int_equal(hs_keys_load(with.hall_dir, &loaded, NULL), HS_OK);
    assert_true(hs_bytes_equal(hs_buf_bytes(&loaded.certificate), hs_buf_bytes(&certificate)));
    assert_null(loaded.issuer);
    hs_keys_free(&loaded);
    hs_buf_fini(&certificate);
    end_enrolling(&with);
}

static void hub_certificate_names_no_district(void **state)
{
    (void)state;
    struct enrolling with;
    struct hs_buf certificate = {0};
    struct hs_certificate read;
    start_enrolling(&with);
    with.enrolment.role = HS_ROLE_HUB;
    with.enrolment.district_count = 1;
    struct hs_enrol_ask ask = {.node_key = with.hall.node_key, .curve_key = with.hall.curve_key};
    struct hs_enrol_issuer issuer = {hs_buf_bytes(&with.hub.issuer_signed), with.hub.issuer};
    assert_int_equal(hs_enrol_certificate(&with.enrolment, &ask, &issuer, NOW_MS, &certificate), HS_OK);
    assert_int_equal(hs_certificate_verify(hs_buf_bytes(&certificate), &with.token.root_key, &read), HS_OK);
    assert_int_equal(read.role, HS_ROLE_HUB);
    assert_int_equal(read.district_count, 0);
    hs_buf_fini(&certificate);
    end_enrolling(&with);
}

static void reply_carries_the_certificates_byte_for_byte(void **state)
{
    (void)state;
    struct enrolling with;
    struct hs_buf frame = {0};
    struct hs_frame decoded;
    start_enrolling(&with);
    struct hs_bytes hub = hs_buf_bytes(&with.hub.certificate);
    assert_int_equal(hs_enrol_reply(HS_OK, NULL, hub, hub, &frame), HS_OK);
    assert_int_equal(hs_frame_decode(hs_buf_bytes(&frame), &decoded), HS_OK);
    assert_int_equal(decoded.type, HALLSYNC__PEER_TYPE__PEER_JOIN_REPLY);
    assert_int_equal(decoded.sequence, 1);
    assert_true(hs_bytes_equal(hs_tlv_bytes(decoded.body, 3), hub));
    assert_true(hs_bytes_equal(hs_tlv_bytes(decoded.body, 4), hub));
    hs_buf_reset(&frame);
    assert_int_equal(hs_enrol_reply(HS_ETOKENUSED, "used by nj-2", HS_BYTES_NONE, HS_BYTES_NONE, &frame), HS_OK);
    assert_int_equal(hs_frame_decode(hs_buf_bytes(&frame), &decoded), HS_OK);
    assert_true(hs_bytes_equal(hs_tlv_bytes(decoded.body, 1), TEXT("token-used")));
    assert_true(hs_bytes_equal(hs_tlv_bytes(decoded.body, 2), TEXT("used by nj-2")));
    hs_buf_fini(&frame);
    end_enrolling(&with);
}

/* ---- joining: the two ends over a link ---- */

struct joiner {
    struct enrolling with;
    struct hs_link *link; /* the hub's */
    unsigned timeout_ms;
    struct hs_buf certificate, hub;
    enum hs_err err;
    struct hs_why why;
    atomic_bool done;
};

/* The token names first a port that is closed, then the hub. */
static void start_joining(struct joiner *joiner)
{
    struct hs_link_options options = {.listen_count = 1};
    const char *any = "tcp://127.0.0.1:*";
    struct hs_link *closed = NULL;
    *joiner = (struct joiner){.timeout_ms = 8000};
    start_enrolling(&joiner->with);
    options.listen = &any;
    options.curve_public = joiner->with.hub.curve_key;
    options.curve_secret = joiner->with.hub.curve_secret;
    assert_int_equal(hs_link_new(&options, &closed, NULL), HS_OK);
    assert_int_equal(hs_link_new(&options, &joiner->link, NULL), HS_OK);
    snprintf(joiner->with.token.addresses[0], HS_ADDRESS_BYTES_MAX + 1, "%s", hs_link_address(closed, 0));
    snprintf(joiner->with.token.addresses[1], HS_ADDRESS_BYTES_MAX + 1, "%s", hs_link_address(joiner->link, 0));
    hs_link_free(closed);
}

static void end_joining(struct joiner *joiner)
{
    hs_link_free(joiner->link);
    hs_buf_fini(&joiner->certificate);
    hs_buf_fini(&joiner->hub);
    end_enrolling(&joiner->with);
}

static void *run_join(void *arg)
{
    struct joiner *joiner = arg;
    struct hs_join join = {.token = &joiner->with.token, .timeout_ms = joiner->timeout_ms};
    join.node_secret = joiner->with.hall.node;
    join.node_key = joiner->with.hall.node_key;
    join.curve_key = joiner->with.hall.curve_key;
    join.curve_secret = joiner->with.hall.curve_secret;
    joiner->err = hs_join_ask(&join, &joiner->certificate, &joiner->hub, &joiner->why);
    atomic_store(&joiner->done, true);
    return NULL;
}

/* What the daemon does with a frame of this type. */
static void answer_join(struct joiner *joiner, const struct hs_link_event *event)
{
    struct enrolling *with = &joiner->with;
    struct hs_enrol_issuer issuer = {hs_buf_bytes(&with->hub.issuer_signed), with->hub.issuer};
    struct hs_frame frame;
    struct hs_enrol_ask ask;
    struct hs_buf certificate = {0};
    struct hs_buf reply = {0};
    bool again;
    assert_int_equal(hs_frame_decode(event->data, &frame), HS_OK);
    assert_int_equal(frame.type, HALLSYNC__PEER_TYPE__PEER_JOIN);
    enum hs_err err = hs_enrol_read(frame.body, &event->curve_key, &ask);
    if (err == HS_OK)
        err = hs_enrol_decide(&with->enrolment, &ask, NOW_MS, &again);
    if (err == HS_OK)
        err = hs_enrol_certificate(&with->enrolment, &ask, &issuer, NOW_MS, &certificate);
    struct hs_bytes hub = hs_buf_bytes(&with->hub.certificate);
    assert_int_equal(hs_enrol_reply(err, NULL, hs_buf_bytes(&certificate), hub, &reply), HS_OK);
    assert_int_equal(hs_link_send(joiner->link, event->peer, hs_buf_bytes(&reply)), HS_OK);
    hs_link_drop(joiner->link, event->peer, false);
    hs_buf_fini(&certificate);
    hs_buf_fini(&reply);
}

static void join_and_answer(struct joiner *joiner)
{
    pthread_t thread;
    struct hs_link_event event;
    atomic_store(&joiner->done, false);
    pthread_create(&thread, NULL, run_join, joiner);
    while (!atomic_load(&joiner->done)) {
        enum hs_err err = hs_link_next(joiner->link, hs_link_now_ms() + 20, &event);
        if (err == HS_OK && event.type == HS_LINK_FRAME)
            answer_join(joiner, &event);
    }
    pthread_join(thread, NULL);
}

static void hall_joins_once(void **state)
{
    (void)state;
    struct joiner joiner;
    struct hs_certificate certificate;
    start_joining(&joiner);
    join_and_answer(&joiner);
    assert_int_equal(joiner.err, HS_OK);
    struct hs_bytes encoded = hs_buf_bytes(&joiner.certificate);
    assert_int_equal(hs_certificate_verify(encoded, &joiner.with.token.root_key, &certificate), HS_OK);
    assert_string_equal(certificate.node_id, "nj-chengbei");
    assert_true(hs_bytes_equal(hs_buf_bytes(&joiner.hub), hs_buf_bytes(&joiner.with.hub.certificate)));
    joiner.with.enrolment.used_by.bytes[0] ^= 1; /* as if another had used it */
    join_and_answer(&joiner);
    assert_int_equal(joiner.err, HS_ETOKENUSED);
    assert_memory_equal(joiner.why.text, "the hub says", 12);
    end_joining(&joiner);
}

static void certificate_of_another_region_or_node_is_refused(void **state)
{
    (void)state;
    struct joiner joiner;
    start_joining(&joiner);
    joiner.with.token.root_key.bytes[0] ^= 1;
    join_and_answer(&joiner);
    assert_int_equal(joiner.err, HS_ECERT);
    joiner.with.token.root_key.bytes[0] ^= 1;
    joiner.with.enrolment.used = false;
    snprintf(joiner.with.enrolment.node_id, sizeof joiner.with.enrolment.node_id, "nj-2");
    join_and_answer(&joiner);
    assert_int_equal(joiner.err, HS_ECERT);
    assert_non_null(strstr(joiner.why.text, "nj-2"));
    assert_int_equal(joiner.certificate.size, 0);
    end_joining(&joiner);
}

static void join_says_why_nobody_answers(void **state)
{
    (void)state;
    struct joiner joiner;
    start_joining(&joiner);
    joiner.with.token.address_count = 1;
    joiner.timeout_ms = 300;
    join_and_answer(&joiner);
    assert_int_equal(joiner.err, HS_EUNREACHABLE);
    assert_non_null(strstr(joiner.why.text, joiner.with.token.addresses[0]));
    end_joining(&joiner);
}

/* ---- small parts of the link ---- */

static void key_set_grows_and_finds(void **state)
{
    (void)state;
    struct hs_keyset set = {0};
    struct hs_key key = {0};
    assert_false(hs_keyset_has(&set, &key));
    assert_int_equal(hs_keyset_add(&set, &key), HS_OK); /* the zero key is never in */
    assert_false(hs_keyset_has(&set, &key));
    for (uint64_t i = 1; i <= 5000; i++) {
        hs_be64(key.bytes, i * 64); /* in few places of the table */
        assert_int_equal(hs_keyset_add(&set, &key), HS_OK);
        assert_int_equal(hs_keyset_add(&set, &key), HS_OK);
    }
    assert_int_equal(set.count, 5000);
    for (uint64_t i = 1; i <= 5000; i++) {
        hs_be64(key.bytes, i * 64);
        assert_true(hs_keyset_has(&set, &key));
    }
    hs_be64(key.bytes, 7);
    assert_false(hs_keyset_has(&set, &key));
    hs_keyset_fini(&set);
}

static void roster_is_bounded_and_forgets_slowly(void **state)
{
    (void)state;
    struct hs_link_base base = {0};
    struct hs_roster *roster = hs_roster_new();
    assert_non_null(roster);
    hs_peer first = hs_roster_add(roster, &base, 0)->peer;
    for (uint32_t i = 1; i < HS_ROSTER_LIVE_MAX; i++)
        assert_non_null(hs_roster_add(roster, &base, i * 3));
    assert_null(hs_roster_add(roster, &base, 1));
    struct hs_roster_entry *entry = hs_roster_by_peer(roster, first);
    hs_roster_set_ending(roster, entry);
    assert_ptr_equal(hs_roster_ending(roster), entry);
    hs_roster_retire(roster, entry);
    assert_null(hs_roster_ending(roster));
    assert_null(hs_roster_by_peer(roster, first));
    assert_true(hs_roster_by_routing(roster, 0)->retired);
    for (uint32_t i = 1; i <= HS_ROSTER_RETIRED_MAX; i++) {
        assert_non_null(hs_roster_add(roster, &base, 100000 + i));
        hs_roster_retire(roster, hs_roster_by_routing(roster, i * 3));
    }
    assert_null(hs_roster_by_routing(roster, 0)); /* forgotten by now */
    assert_non_null(hs_roster_by_routing(roster, 3));
    assert_null(hs_roster_by_peer(roster, 0));
    assert_null(hs_roster_by_peer(roster, first));
    hs_roster_free(roster);
}

static void backoff_grows_and_resets(void **state)
{
    (void)state;
    struct hs_backoff backoff;
    hs_backoff_init(&backoff, 100, 30000);
    uint32_t expected = 100;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(backoff.ceiling_ms, expected);
        assert_in_range(hs_backoff_next(&backoff), 0, expected);
        expected = expected * 2 > 30000 ? 30000 : expected * 2;
        assert_in_range(hs_backoff_least(&backoff), 0, 100);
    }
    uint32_t largest = 0;
    for (int i = 0; i < 200; i++) {
        uint32_t wait = hs_backoff_next(&backoff);
        largest = wait > largest ? wait : largest;
    }
    assert_in_range(largest, 15000, 30000); /* all of the range is used */
    hs_backoff_reset(&backoff);
    assert_int_equal(backoff.ceiling_ms, 100);
    hs_backoff_init(&backoff, UINT32_MAX, 1);
    hs_backoff_next(&backoff);
    assert_true(backoff.ceiling_ms == UINT32_MAX);
}

static void addresses_are_checked(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"tcp://127.0.0.1:7700", "tcp://[::1]:7700",  "tcp://hub-1.example.com:1",
                                       "tcp://hub:65535",      "tcp://*:*",         "tcp://0.0.0.0:0",
                                       "tcp://hub.example.:7", "tcp://a_b.local:10"};
    static const char *const BAD[] = {"",
                                      "tcp://",
                                      "tcp://:7700",
                                      "tcp://hub",
                                      "tcp://hub:",
                                      "tcp://hub:65536",
                                      "tcp://hub:7x",
                                      "tcp://hub:-1",
                                      "ipc:///tmp/x",
                                      "udp://hub:1",
                                      "tcp://::1:7700",
                                      "tcp://[::1:7700",
                                      "tcp://[::g]:1",
                                      "tcp://256.1.1.1:7",
                                      "tcp://1.2.3:7",
                                      "tcp://h ub:7",
                                      "tcp://.hub:7",
                                      "tcp://a..b:7",
                                      "tcp://hub;eth0:7"};
    struct hs_why why;
    for (size_t i = 0; i < COUNT(GOOD); i++)
        assert_int_equal(hs_link_check_address(GOOD[i], &why), HS_OK);
    for (size_t i = 0; i < COUNT(BAD); i++)
        assert_int_equal(hs_link_check_address(BAD[i], &why), HS_EADDRESS);
    char longest[300];
    snprintf(longest, sizeof longest, "tcp://%0200d.a:7", 0);
    assert_int_equal(hs_link_check_address(longest, &why), HS_EADDRESS);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(file_is_written_whole_and_replaced),
        TEST(created_file_never_replaces),
        TEST(what_is_read_ends_with_a_zero),
        TEST(file_errors_name_the_file),
        TEST(hub_keys_are_made_once_and_loaded),
        TEST(hub_needs_no_root_key),
        TEST(keys_that_others_can_read_are_refused),
        TEST(broken_keys_are_refused),
        TEST(bad_hub_id_leaves_nothing),
        TEST(hall_takes_its_earlier_keys_again),
        TEST(token_names_what_the_hall_needs),
        TEST(bad_drafts_are_refused),
        TEST(join_is_decided_by_the_token),
        TEST(join_must_be_proven),
        TEST(certificate_is_made_saved_and_loaded),
        TEST(hub_certificate_names_no_district),
        TEST(reply_carries_the_certificates_byte_for_byte),
        TEST(hall_joins_once),
        TEST(certificate_of_another_region_or_node_is_refused),
        TEST(join_says_why_nobody_answers),
        cmocka_unit_test(key_set_grows_and_finds),
        cmocka_unit_test(roster_is_bounded_and_forgets_slowly),
        cmocka_unit_test(backoff_grows_and_resets),
        cmocka_unit_test(addresses_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

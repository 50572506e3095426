/* files_fuzz.c -- small files that a node finds at its start: keys and certificates, the continuity note; and addresses
 * of its configuration.  Keys are loaded only if all of them belong together.  A note proves nothing unless it is
 * whole, of this store, machine and file, and names the last commit or the one before it with the origin.
 *
 *     input = how u8, changes ... */
#include "node/link/address.h"
#include "node/link/keys.h"
#include "node/link/link.h"
#include "proto/base/text.h"
#include "storage/log/continuity.h"
#include "tests/fuzz/fuzz_region.h"

#include <fcntl.h>

#define NOTE_BYTES    124
#define NOTE_CHECKED  92 /* before its hash */
#define NOTE_POSITION 16 /* commit and tag */
#define NOTE_ORIGIN   84
#define STORE_ID      77
#define ORIGIN        4711

static struct fuzz_region region;
static struct fuzz_node hub;

/* ---- keys: what would be read from files ---- */

enum { NODE_KEY, CURVE_KEY, ISSUER_KEY, ROOT_PUB, ISSUER_SIGNED, NODE_CERT, FILE_COUNT };
static const char *const NAMES[FILE_COUNT] = {"/node.key", "/curve.key",     "/issuer.key",
                                              "/root.pub", "/issuer.signed", "/node.cert"};
static struct hs_buf sound[FILE_COUNT], files[FILE_COUNT];
static bool missing[FILE_COUNT];

static size_t file_of(const char *path)
{
    size_t which = 0;
    while (which < FILE_COUNT && strstr(path, NAMES[which]) == NULL)
        which++;
    FUZZ_CHECK(which < FILE_COUNT);
    return which;
}

static enum hs_err read_file(const char *path, size_t limit, struct hs_buf *content, struct hs_why *why)
{
    size_t which = file_of(path);
    if (missing[which])
        return hs_fail(HS_ENOTFOUND, why, "there is no %s", path);
    if (files[which].size > limit)
        return hs_fail(HS_ETOOBIG, why, "%s has more than %zu bytes", path, limit);
    hs_buf_put_bytes(content, hs_buf_bytes(&files[which]));
    return content->err;
}

/* By --wrap. */
enum hs_err __wrap_hs_file_read(const char *path, size_t limit, struct hs_buf *content, struct hs_why *why);
enum hs_err __wrap_hs_file_read(const char *path, size_t limit, struct hs_buf *content, struct hs_why *why)
{
    return read_file(path, limit, content, why);
}

enum hs_err __wrap_hs_file_read_secret(const char *path, size_t limit, struct hs_buf *content, struct hs_why *why);
enum hs_err __wrap_hs_file_read_secret(const char *path, size_t limit, struct hs_buf *content, struct hs_why *why)
{
    return read_file(path, limit, content, why);
}

int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
    (void)mode;
    return missing[file_of(path)] ? -1 : 0;
}

static void put_line(size_t which, const uint8_t bytes[static HS_KEY_BYTES])
{
    char hex[2 * HS_KEY_BYTES + 1];
    hs_text_to_hex(HS_BYTES(bytes, HS_KEY_BYTES), hex);
    hs_buf_put_format(&sound[which], "%s\n", hex);
}

/* The seeds are those of fuzz_keypair(). */
static void make_keys(void)
{
    uint8_t seed[HS_KEY_BYTES];
    memset(seed, 3, sizeof seed);
    put_line(NODE_KEY, seed);
    memset(seed, 9, sizeof seed);
    put_line(CURVE_KEY, seed);
    FUZZ_CHECK(crypto_scalarmult_base(hub.certificate.curve_key.bytes, seed) == 0);
    memset(seed, 2, sizeof seed);
    put_line(ISSUER_KEY, seed);
    put_line(ROOT_PUB, region.root_key.bytes);
    hs_buf_put_bytes(&sound[ISSUER_SIGNED], hs_buf_bytes(&region.issuer_signed));
    FUZZ_CHECK(hs_certificate_sign(&hub.certificate, hs_buf_bytes(&region.issuer_signed), &region.issuer,
                                   &sound[NODE_CERT]) == HS_OK);
}

static void change(struct hs_cur *in, struct hs_buf *bytes)
{
    uint8_t how = fuzz_u8(in);
    size_t at = fuzz_u16(in) % (bytes->size + 1);
    struct hs_bytes fresh = fuzz_bytes(in, fuzz_u8(in) % 80);
    if (how % 4 == 0 && at < bytes->size) {
        bytes->data[at] ^= (uint8_t)(1U << how / 4 % 8);
    } else if (how % 4 == 1) {
        bytes->size = at;
    } else if (how % 4 == 2) {
        hs_buf_put_bytes(bytes, fresh);
    } else {
        hs_buf_reset(bytes);
        hs_buf_put_bytes(bytes, fresh);
    }
}

static void keys(struct hs_cur *in)
{
    struct hs_keys loaded = {0};
    struct hs_certificate certificate;
    struct hs_why why = {{0}};
    bool same = true;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        hs_buf_reset(&files[i]);
        hs_buf_put_bytes(&files[i], hs_buf_bytes(&sound[i]));
        uint8_t how = fuzz_u8(in);
        missing[i] = how == 0xff;
        if (how % 2 != 0 && !missing[i])
            change(in, &files[i]);
        same = same && !missing[i] && hs_bytes_equal(hs_buf_bytes(&files[i]), hs_buf_bytes(&sound[i]));
    }
    enum hs_err err = hs_keys_load("/nowhere", &loaded, &why);
    FUZZ_CHECK(err == HS_OK || why.text[0] != '\0');
    FUZZ_CHECK(err == HS_OK || (!same && loaded.node == NULL && loaded.curve_secret == NULL));
    if (err == HS_OK) {
        struct hs_key public_key;
        FUZZ_CHECK(hs_certificate_verify(hs_buf_bytes(&loaded.certificate), &loaded.root_key, &certificate) == HS_OK);
        FUZZ_CHECK(hs_secret_public(loaded.node, &public_key) == HS_OK);
        FUZZ_CHECK(hs_key_equal(&public_key, &certificate.node_key));
        FUZZ_CHECK(crypto_scalarmult_base(public_key.bytes, loaded.curve_secret) == 0);
        FUZZ_CHECK(hs_key_equal(&public_key, &certificate.curve_key));
        FUZZ_CHECK((loaded.issuer != NULL) == !missing[ISSUER_KEY]);
    }
    hs_keys_free(&loaded);
}

/* ---- the continuity note ---- */

static struct hs_note *note;
static int note_fd; /* the same file */

static void make_note(void)
{
    char dir[] = FUZZ_TMPFS "/hs-fuzz-XXXXXX", path[64];
    FUZZ_CHECK(mkdtemp(dir) != NULL);
    FUZZ_CHECK(hs_note_open(dir, STORE_ID, STDERR_FILENO, &note) == HS_OK);
    snprintf(path, sizeof path, "%s/hallsync-%016x.note", dir, STORE_ID);
    note_fd = open(path, O_RDWR | O_CLOEXEC);
    fuzz_remove(dir);
    FUZZ_CHECK(note_fd >= 0);
}

static void note_is_read(struct hs_cur *in)
{
    struct hs_note_claim claim = {{7, 70}, {6, 60}, ORIGIN};
    struct hs_position written = {fuzz_number(in), 10 * (uint64_t)fuzz_u8(in)};
    uint8_t raw[NOTE_BYTES], clean[NOTE_BYTES];
    uint8_t how = fuzz_u8(in);
    if (how % 2 == 0)
        written = how % 4 == 0 ? claim.last : claim.before;
    uint64_t origin = how % 8 < 6 ? ORIGIN : fuzz_number(in);
    FUZZ_CHECK(hs_note_write(note, &written, origin) == HS_OK);
    FUZZ_CHECK(pread(note_fd, clean, sizeof clean, 0) == NOTE_BYTES);
    memcpy(raw, clean, sizeof raw);
    while (in->left >= 2) {
        size_t at = fuzz_u8(in) % sizeof raw;
        raw[at] ^= fuzz_u8(in);
    }
    if (how / 8 % 2 == 0) { /* whoever changed it knew how */
        struct hs_hash hash = hs_hash_of(HS_BYTES(raw, NOTE_CHECKED));
        memcpy(raw + NOTE_CHECKED, hash.bytes, HS_HASH_BYTES);
    }
    size_t size = how / 16 % 8 == 7 ? how % NOTE_BYTES : sizeof raw;
    FUZZ_CHECK(ftruncate(note_fd, 0) == 0 && pwrite(note_fd, raw, size, 0) == (ssize_t)size);
    const char *doubt = hs_note_doubt(note, &claim);
    FUZZ_CHECK(doubt == NULL || doubt[0] != '\0');
    struct hs_position says = {hs_from_be64(raw + NOTE_POSITION), hs_from_be64(raw + NOTE_POSITION + 8)};
    bool names = (says.commit == 7 && says.tag == 70) || (says.commit == 6 && says.tag == 60);
    struct hs_hash hash = hs_hash_of(HS_BYTES(raw, NOTE_CHECKED));
    bool proves = size == sizeof raw && names && hs_from_be64(raw + NOTE_ORIGIN) == ORIGIN &&
                  memcmp(raw, clean, NOTE_POSITION) == 0 &&
                  memcmp(raw + NOTE_POSITION + 16, clean + NOTE_POSITION + 16, NOTE_ORIGIN - NOTE_POSITION - 16) == 0 &&
                  memcmp(raw + NOTE_CHECKED, hash.bytes, HS_HASH_BYTES) == 0;
    FUZZ_CHECK((doubt == NULL) == proves);
}

/* ---- addresses ---- */

static void address(struct hs_cur *in)
{
    struct hs_arena arena;
    struct hs_address parsed, again;
    struct hs_why why = {{0}};
    char back[HS_ADDRESS_BYTES_MAX + 32];
    hs_arena_init(&arena, 0);
    const char *text = fuzz_text(&arena, fuzz_rest(in));
    enum hs_err err = hs_address_parse(text, &parsed, &why);
    FUZZ_CHECK(err == HS_OK || (err == HS_EADDRESS && why.text[0] != '\0'));
    FUZZ_CHECK(hs_link_check_address(text, &why) == err);
    if (err == HS_OK) {
        snprintf(back, sizeof back, parsed.form == HS_HOST_V6 ? "tcp://[%s]:%u" : "tcp://%s:%u", parsed.host,
                 (unsigned)parsed.port);
        FUZZ_CHECK(strlen(back) > HS_ADDRESS_BYTES_MAX || hs_address_parse(back, &again, &why) == HS_OK);
        FUZZ_CHECK(strlen(back) > HS_ADDRESS_BYTES_MAX ||
                   (strcmp(again.host, parsed.host) == 0 && again.form == parsed.form && again.port == parsed.port));
    }
    hs_arena_fini(&arena);
}

static void set_up(void)
{
    if (note != NULL)
        return;
    fuzz_region_make(&region);
    fuzz_node_make(&region, "hub-1", 3, HS_ROLE_HUB, &hub);
    make_keys();
    make_note();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const HOWS[])(struct hs_cur * in) = {keys, note_is_read, address};
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    set_up();
    HOWS[fuzz_u8(&in) % 3](&in);
    return 0;
}

void fuzz_seeds(fuzz_put put)
{
    static const char *const ADDRESSES[] = {"tcp://hub.example:7400",
                                            "tcp://192.0.2.1:1",
                                            "tcp://[2001:db8::1]:65535",
                                            "tcp://*:*",
                                            "tcp://1.2.3:4",
                                            "tcp://-:65536",
                                            "tcp://[]:1",
                                            "ipc://x"};
    char name[32];
    for (size_t i = 0; i < sizeof ADDRESSES / sizeof *ADDRESSES; i++) {
        struct hs_buf seed = {0};
        hs_buf_put_format(&seed, "\2%s", ADDRESSES[i]);
        snprintf(name, sizeof name, "address-%zu", i);
        put(name, hs_buf_bytes(&seed));
        hs_buf_fini(&seed);
    }
    put("keys-sound", FUZZ_SEED("\0"));
    put("keys-no-issuer", FUZZ_SEED("\0\0\0\377\0\0\0"));
    put("keys-other-root", FUZZ_SEED("\0\0\0\0\1\0\0\0\0\0"));
    put("keys-cut", FUZZ_SEED("\0\0\0\0\0\0\1\1\0\100"));
    put("note-last", FUZZ_SEED("\1\0\0\0"));
    put("note-before", FUZZ_SEED("\1\0\0\2"));
    put("note-other-commit", FUZZ_SEED("\1\7\7\1"));
    put("note-other-origin", FUZZ_SEED("\1\0\0\6\1"));
    put("note-other-boot", FUZZ_SEED("\1\0\0\0\50\1"));
    put("note-damaged", FUZZ_SEED("\1\0\0\10\50\1"));
    put("note-short", FUZZ_SEED("\1\0\0\160"));
}

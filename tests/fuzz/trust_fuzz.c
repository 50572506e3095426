/* trust_fuzz.c -- certificates, openings and receipts: as they come; with bodies of any bytes under true signatures, so
 * that what lies behind the signatures is reached; and true ones with some bytes changed, which must not hold.
 *
 *     input = how u8 || ... */
#include "proto/base/text.h"
#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/revoke.h"
#include "proto/msg/tlv.h"
#include "proto/msg/trust_signed.h"
#include "proto/peer.pb-c.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

enum {
    RAW,
    FORGED_CERTIFICATE,
    FORGED_OPENING,
    CHANGED_CERTIFICATE,
    CHANGED_OPENING,
    RECEIPT,
    FORGED_REVOCATION,
    FORGED_RELEASE,
    CHANGED_REVOCATION,
    CHANGED_RELEASE,
    HOW_COUNT
};

static struct hs_secret root, issuer, node;
static struct hs_key root_key, issuer_key, node_key;
static struct hs_buf true_certificate, true_opening, true_revocation, true_release, true_issuer;
static struct hs_release release; /* what the release says */

/* ---- the keys of a small region, from fixed seeds ---- */

static void make_key(uint8_t seed, struct hs_secret *secret, struct hs_key *key)
{
    uint8_t bytes[32];
    memset(bytes, seed, sizeof bytes);
    FUZZ_CHECK(crypto_sign_seed_keypair(key->bytes, secret->bytes, bytes) == 0);
}

static void draft(struct hs_certificate *certificate)
{
    *certificate = (struct hs_certificate){
        .role = HS_ROLE_HALL, .home = 3201, .districts = {3201, 3202}, .district_count = 2};
    snprintf(certificate->node_id, sizeof certificate->node_id, "hall-1");
    certificate->node_key = node_key;
    certificate->curve_key = node_key;
    certificate->issued_ms = 1;
}

static void set_up(void)
{
    struct hs_buf signed_issuer = {0};
    struct hs_certificate certificate;
    if (true_opening.size > 0)
        return;
    FUZZ_CHECK(sodium_init() >= 0);
    make_key(1, &root, &root_key);
    make_key(2, &issuer, &issuer_key);
    make_key(3, &node, &node_key);
    struct hs_issuer_draft by = {"region", "hub-1", issuer_key, 1};
    draft(&certificate);
    FUZZ_CHECK(hs_issuer_sign(&by, &root, &signed_issuer) == HS_OK);
    FUZZ_CHECK(hs_certificate_sign(&certificate, hs_buf_bytes(&signed_issuer), &issuer, &true_certificate) == HS_OK);
    hs_buf_put_bytes(&true_issuer, hs_buf_bytes(&signed_issuer));
    hs_buf_fini(&signed_issuer);
    struct hs_authority authority = {hs_buf_bytes(&true_issuer), &issuer};
    FUZZ_CHECK(hs_revocation_sign(hs_buf_bytes(&true_certificate), "stolen", 3, &authority, &true_revocation) == HS_OK);
    release = (struct hs_release){
        .node_key = node_key, .time_ms = 4, .reason = "counted", .name = "Wang Li", .count = 2};
    release.heads[0] = (struct hs_released){{77, 3201, HS_LANE_MONEY}, 5, {{1}}};
    release.heads[1] = (struct hs_released){{77, 3201, HS_LANE_WORK}, 6, {{2}}};
    FUZZ_CHECK(hs_release_sign(&release, &authority, &true_release) == HS_OK);
    struct hs_opening opening = {.origin = 77, .node_key = node_key, .follows = 5, .opened_ms = 9};
    struct hs_signer signer = hs_signer_of(&node);
    FUZZ_CHECK(hs_opening_sign(&opening, &signer, &true_opening) == HS_OK);
}

/* ---- what holds for all that is accepted ---- */

static void accepted_certificate(const struct hs_certificate *certificate)
{
    struct hs_certificate again;
    struct hs_buf signed_issuer = {0}, encoded = {0};
    bool witness = certificate->role == HS_ROLE_WITNESS;
    FUZZ_CHECK(certificate->role == HS_ROLE_HALL || certificate->role == HS_ROLE_HUB || witness);
    FUZZ_CHECK(hs_node_id_valid(certificate->node_id));
    FUZZ_CHECK(hs_key_equal(&certificate->root_key, &root_key));
    FUZZ_CHECK(hs_certificate_scope(certificate, HS_PARTITION_REGION) == !witness);
    FUZZ_CHECK(hs_certificate_scope(certificate, certificate->home) == !witness);
    FUZZ_CHECK(hs_certificate_names(certificate, certificate->home) == (certificate->role != HS_ROLE_HUB));
    FUZZ_CHECK(!hs_certificate_allows(certificate, 0, 3201));
    FUZZ_CHECK(!hs_certificate_allows(certificate, 2000, 3201));
    FUZZ_CHECK(hs_certificate_allows(certificate, 1500, 3201) == (certificate->role == HS_ROLE_HUB));
    struct hs_issuer_draft by = {certificate->region, certificate->node_id, issuer_key, 1};
    FUZZ_CHECK(hs_issuer_sign(&by, &root, &signed_issuer) == HS_OK);
    FUZZ_CHECK(hs_certificate_sign(certificate, hs_buf_bytes(&signed_issuer), &issuer, &encoded) == HS_OK);
    FUZZ_CHECK(hs_certificate_verify(hs_buf_bytes(&encoded), &root_key, &again) == HS_OK);
    FUZZ_CHECK(strcmp(again.region, certificate->region) == 0);
    FUZZ_CHECK(again.district_count == certificate->district_count);
    FUZZ_CHECK(memcmp(again.districts, certificate->districts, sizeof again.districts) == 0);
    FUZZ_CHECK(again.home == certificate->home);
    FUZZ_CHECK(again.issued_ms == certificate->issued_ms);
    hs_buf_fini(&signed_issuer);
    hs_buf_fini(&encoded);
}

static bool verify_certificate(struct hs_bytes bytes)
{
    struct hs_certificate certificate;
    enum hs_err err = hs_certificate_verify(bytes, &root_key, &certificate);
    FUZZ_CHECK(err == HS_OK || err == HS_ECERT || err == HS_EREGION || err == HS_EMALFORMED || err == HS_ENOMEM);
    if (err == HS_OK)
        accepted_certificate(&certificate);
    return err == HS_OK;
}

static bool verify_opening(struct hs_bytes bytes)
{
    struct hs_opening opening;
    enum hs_err err = hs_opening_verify(bytes, &opening);
    FUZZ_CHECK(err == HS_OK || err == HS_ESIGNATURE || err == HS_EMALFORMED || err == HS_ENOMEM);
    FUZZ_CHECK(err != HS_OK || opening.origin != 0);
    return err == HS_OK;
}

static bool verify_revocation(struct hs_bytes bytes)
{
    struct hs_revocation revocation;
    enum hs_err err = hs_revocation_verify(bytes, &root_key, &revocation);
    FUZZ_CHECK(err == HS_OK || err == HS_ECERT || err == HS_EREGION || err == HS_EMALFORMED || err == HS_ESIGNATURE ||
               err == HS_ENOMEM);
    if (err != HS_OK)
        return false;
    FUZZ_CHECK(revocation.node.role != HS_ROLE_HUB || revocation.is_by_root);
    FUZZ_CHECK(hs_key_equal(&revocation.signer, revocation.is_by_root ? &root_key : &issuer_key));
    FUZZ_CHECK(hs_text_valid(HS_BYTES(revocation.reason, strlen(revocation.reason))));
    return true;
}

static bool verify_release(struct hs_bytes bytes)
{
    static struct hs_release read;
    enum hs_err err = hs_release_verify(bytes, &root_key, &read);
    FUZZ_CHECK(err == HS_OK || err == HS_ECERT || err == HS_EREGION || err == HS_EMALFORMED || err == HS_ESIGNATURE ||
               err == HS_ENOMEM);
    if (err != HS_OK)
        return false;
    FUZZ_CHECK(read.count > 0 && read.count <= HS_RELEASE_HEADS_MAX && read.name[0] != '\0');
    for (size_t i = 0; i < read.count; i++)
        FUZZ_CHECK(read.heads[i].n > 0 && hs_lane_valid(read.heads[i].stream.lane));
    return true;
}

/* ---- true signatures over any bytes ---- */

static void put_signed(const char *domain, struct hs_bytes body, const struct hs_secret *secret, struct hs_buf *to)
{
    struct hs_signer signer = hs_signer_of(secret);
    struct hs_signature signature;
    FUZZ_CHECK(hs_signature_make(domain, body, &signer, &signature) == HS_OK);
    hs_tlv_put_bytes(to, 1, body);
    hs_tlv_put_bytes(to, 2, HS_BYTES(signature.bytes, sizeof signature.bytes));
}

static void forged_certificate(struct hs_cur *in)
{
    struct hs_buf parts[2] = {{0}}, whole = {0};
    struct hs_bytes issuer_body = fuzz_bytes(in, fuzz_u8(in));
    put_signed("hallsync issuer 1", issuer_body, &root, &parts[0]);
    put_signed("hallsync node 1", fuzz_rest(in), &issuer, &parts[1]);
    hs_tlv_put_bytes(&whole, 1, hs_buf_bytes(&parts[0]));
    hs_tlv_put_bytes(&whole, 2, hs_buf_bytes(&parts[1]));
    verify_certificate(hs_buf_bytes(&whole));
    hs_buf_fini(&parts[0]);
    hs_buf_fini(&parts[1]);
    hs_buf_fini(&whole);
}

static void forged_opening(struct hs_cur *in)
{
    struct hs_buf whole = {0};
    put_signed("hallsync origin 1", fuzz_rest(in), &node, &whole);
    verify_opening(hs_buf_bytes(&whole));
    hs_buf_fini(&whole);
}

/* By the issuer, of the hall: the body alone is anybody's. */
static void forged_decision(struct hs_cur *in, bool is_release)
{
    struct hs_buf part = {0}, whole = {0};
    put_signed(is_release ? "hallsync release 1" : "hallsync revocation 1", fuzz_rest(in), &issuer, &part);
    hs_tlv_put_bytes(&whole, 1, hs_buf_bytes(&part));
    if (!is_release)
        hs_tlv_put_bytes(&whole, 2, hs_buf_bytes(&true_certificate));
    hs_tlv_put_bytes(&whole, is_release ? 2 : 3, hs_buf_bytes(&true_issuer));
    (is_release ? verify_release : verify_revocation)(hs_buf_bytes(&whole));
    hs_buf_fini(&part);
    hs_buf_fini(&whole);
}

/* ---- true ones with some bytes changed ---- */

static void changed(struct hs_cur *in, const struct hs_buf *original, bool (*verify)(struct hs_bytes bytes))
{
    struct hs_buf copy = {0};
    hs_buf_put_bytes(&copy, hs_buf_bytes(original));
    while (in->left >= 3) {
        size_t at = fuzz_u16(in) % copy.size;
        copy.data[at] ^= fuzz_u8(in);
    }
    bool same = hs_bytes_equal(hs_buf_bytes(&copy), hs_buf_bytes(original));
    FUZZ_CHECK(verify(hs_buf_bytes(&copy)) == same);
    hs_buf_fini(&copy);
}

static void receipt(struct hs_cur *in)
{
    struct hs_receipt made = {.store_id = fuzz_u64(in),
                              .stream = {fuzz_u64(in), fuzz_u16(in), fuzz_u8(in)},
                              .n = fuzz_u64(in),
                              .time_ms = fuzz_u64(in),
                              .hub_key = node_key};
    struct hs_signer signer = hs_signer_of(&node);
    FUZZ_CHECK(hs_receipt_sign(&made, &signer) == HS_OK);
    FUZZ_CHECK(hs_receipt_verify(&made) == HS_OK);
    uint8_t bit = fuzz_u8(in);
    struct hs_receipt other = made;
    other.n ^= (uint64_t)1 << bit % 64;
    FUZZ_CHECK(hs_receipt_verify(&other) == HS_ESIGNATURE);
    FUZZ_CHECK(hs_checkpoint_verify(&made.stream, made.n, &made.hash, &node_key, &made.signature) == HS_ESIGNATURE);
    made.signature.bytes[fuzz_u8(in) % HS_SIGNATURE_BYTES] ^= (uint8_t)(1U << bit % 8);
    FUZZ_CHECK(hs_receipt_verify(&made) == HS_ESIGNATURE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    set_up();
    switch (fuzz_u8(&in) % HOW_COUNT) {
    case RAW:
        verify_certificate(HS_BYTES(in.at, in.left));
        verify_revocation(HS_BYTES(in.at, in.left));
        verify_release(HS_BYTES(in.at, in.left));
        verify_opening(fuzz_rest(&in));
        break;
    case FORGED_CERTIFICATE:
        forged_certificate(&in);
        break;
    case FORGED_OPENING:
        forged_opening(&in);
        break;
    case CHANGED_CERTIFICATE:
        changed(&in, &true_certificate, verify_certificate);
        break;
    case CHANGED_OPENING:
        changed(&in, &true_opening, verify_opening);
        break;
    case FORGED_REVOCATION:
    case FORGED_RELEASE:
        forged_decision(&in, data[0] % HOW_COUNT == FORGED_RELEASE);
        break;
    case CHANGED_REVOCATION:
        changed(&in, &true_revocation, verify_revocation);
        break;
    case CHANGED_RELEASE:
        changed(&in, &true_release, verify_release);
        break;
    default:
        receipt(&in);
    }
    return 0;
}

/* ---- seeds ---- */

static struct hs_bytes body_of(struct hs_bytes certificate, uint32_t part)
{
    return hs_tlv_bytes(part == 0 ? certificate : hs_tlv_bytes(certificate, part), 1);
}

static void put_how(fuzz_put put, const char *name, uint8_t how, struct hs_bytes first, struct hs_bytes second)
{
    struct hs_buf seed = {0};
    hs_buf_put_u8(&seed, how);
    if (how == FORGED_CERTIFICATE)
        hs_buf_put_u8(&seed, (uint8_t)first.size);
    hs_buf_put_bytes(&seed, first);
    hs_buf_put_bytes(&seed, second);
    put(name, hs_buf_bytes(&seed));
    hs_buf_fini(&seed);
}

void fuzz_seeds(fuzz_put put)
{
    struct hs_buf hub = {0};
    set_up();
    struct hs_bytes certificate = hs_buf_bytes(&true_certificate), opening = hs_buf_bytes(&true_opening);
    struct hs_bytes by = body_of(certificate, 1);
    hs_tlv_put_text(&hub, 1, "hub-1");
    hs_tlv_put_u64(&hub, 2, HS_ROLE_HUB);
    hs_tlv_put_bytes(&hub, 3, HS_BYTES(node_key.bytes, HS_KEY_BYTES));
    hs_tlv_put_bytes(&hub, 4, HS_BYTES(node_key.bytes, HS_KEY_BYTES));
    hs_tlv_put_u64(&hub, 5, HS_PARTITION_REGION);
    hs_tlv_put_bytes(&hub, 7, HS_BYTES(issuer_key.bytes, HS_KEY_BYTES));
    hs_tlv_put_u64(&hub, 8, 1);
    put_how(put, "certificate", RAW, certificate, HS_BYTES_NONE);
    put_how(put, "opening", RAW, opening, HS_BYTES_NONE);
    put_how(put, "bodies-hall", FORGED_CERTIFICATE, by, body_of(certificate, 2));
    put_how(put, "bodies-hub", FORGED_CERTIFICATE, by, hs_buf_bytes(&hub));
    put_how(put, "body-opening", FORGED_OPENING, body_of(opening, 0), HS_BYTES_NONE);
    put_how(put, "changed-certificate", CHANGED_CERTIFICATE, FUZZ_SEED("\0\3\1"), HS_BYTES_NONE);
    put_how(put, "changed-opening", CHANGED_OPENING, FUZZ_SEED("\0\3\1\0\3\1"), HS_BYTES_NONE);
    put_how(put, "revocation", RAW, hs_buf_bytes(&true_revocation), HS_BYTES_NONE);
    put_how(put, "release", RAW, hs_buf_bytes(&true_release), HS_BYTES_NONE);
    put_how(put, "body-revocation", FORGED_REVOCATION, body_of(hs_buf_bytes(&true_revocation), 1), HS_BYTES_NONE);
    put_how(put, "body-release", FORGED_RELEASE, body_of(hs_buf_bytes(&true_release), 1), HS_BYTES_NONE);
    put_how(put, "changed-revocation", CHANGED_REVOCATION, FUZZ_SEED("\0\3\1"), HS_BYTES_NONE);
    put_how(put, "changed-release", CHANGED_RELEASE, FUZZ_SEED("\0\3\1\0\3\1"), HS_BYTES_NONE);
    put_how(put, "receipt", RECEIPT, FUZZ_SEED("12345678123456783202812345678"), HS_BYTES_NONE);
    hs_buf_fini(&hub);
}

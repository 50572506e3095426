/* fuzz_region.h -- a region's keys from fixed seeds, and a real store on a tmpfs.  Once it is open its files have no
 * names any more: whatever ends the process, nothing is left behind. */
#ifndef HS_TESTS_FUZZ_REGION_H
#define HS_TESTS_FUZZ_REGION_H

#include "storage/store.h"
#include "tests/fuzz/fuzz.h"

#include <ftw.h>
#include <sodium.h>
#include <unistd.h>

#define FUZZ_TMPFS     "/dev/shm"
#define FUZZ_MAP_BYTES ((size_t)64 << 20)
#define FUZZ_NOW_MS    1795233600000ULL

struct fuzz_node {
    struct hs_secret secret;
    struct hs_certificate certificate;
    struct hs_buf encoded;
};

struct fuzz_region {
    struct hs_secret root, issuer;
    struct hs_key root_key, issuer_key;
    struct hs_buf issuer_signed;
};

static inline void fuzz_keypair(uint8_t seed, struct hs_secret *secret, struct hs_key *key)
{
    uint8_t bytes[crypto_sign_SEEDBYTES];
    memset(bytes, seed, sizeof bytes);
    FUZZ_CHECK(crypto_sign_seed_keypair(key->bytes, secret->bytes, bytes) == 0);
}

static inline void fuzz_region_make(struct fuzz_region *region)
{
    FUZZ_CHECK(sodium_init() >= 0);
    fuzz_keypair(1, &region->root, &region->root_key);
    fuzz_keypair(2, &region->issuer, &region->issuer_key);
    struct hs_issuer_draft draft = {"region", "hub-1", region->issuer_key, 1};
    FUZZ_CHECK(hs_issuer_sign(&draft, &region->root, &region->issuer_signed) == HS_OK);
}

/* A hub, or a hall of district 3201. */
static inline void fuzz_node_make(const struct fuzz_region *region, const char *id, uint8_t seed, enum hs_role role,
                                  struct fuzz_node *node)
{
    struct hs_certificate *draft = &node->certificate;
    *draft = (struct hs_certificate){.role = role, .home = 3201, .issued_ms = 1, .issuer_key = region->issuer_key};
    draft->root_key = region->root_key;
    snprintf(draft->node_id, sizeof draft->node_id, "%s", id);
    if (role == HS_ROLE_HALL) {
        draft->districts[0] = 3201;
        draft->district_count = 1;
    }
    fuzz_keypair(seed, &node->secret, &draft->node_key);
    memset(draft->curve_key.bytes, seed, HS_KEY_BYTES);
    FUZZ_CHECK(hs_certificate_sign(draft, hs_buf_bytes(&region->issuer_signed), &region->issuer, &node->encoded) ==
               HS_OK);
}

static inline uint64_t fuzz_now_ms(void *ctx)
{
    (void)ctx;
    return FUZZ_NOW_MS;
}

/* The same numbers in every process. */
static inline void fuzz_random(void *ctx, void *to, size_t size)
{
    static uint64_t drawn;
    uint8_t seed[randombytes_SEEDBYTES] = {0};
    (void)ctx;
    hs_be64(seed, ++drawn);
    randombytes_buf_deterministic(to, size, seed);
}

static inline int fuzz_remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void fuzz_remove(const char *path)
{
    FUZZ_CHECK(nftw(path, fuzz_remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static inline struct hs_store *fuzz_store_make(const struct fuzz_node *node)
{
    char dir[] = FUZZ_TMPFS "/hs-fuzz-XXXXXX", data[64];
    struct hs_store *store = NULL;
    struct hs_why why = {{0}};
    FUZZ_CHECK(mkdtemp(dir) != NULL);
    snprintf(data, sizeof data, "%s/data", dir);
    struct hs_store_options options = {.dir = data,
                                       .certificate = hs_buf_bytes(&node->encoded),
                                       .signer = hs_signer_of(&node->secret),
                                       .create = true,
                                       .map_bytes = FUZZ_MAP_BYTES,
                                       .note_dir = dir,
                                       .utc_offset_minutes = 480,
                                       .now_ms = fuzz_now_ms,
                                       .random = fuzz_random};
    enum hs_err err = hs_store_open(&options, &store, &why);
    if (err != HS_OK)
        fprintf(stderr, "no store: %s: %s\n", hs_err_name(err), why.text);
    fuzz_remove(dir);
    FUZZ_CHECK(err == HS_OK);
    return store;
}

#endif

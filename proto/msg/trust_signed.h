/* trust_signed.h -- signatures over "domain" NUL body, and the Signed message: what the trust_*.c files share. */
#ifndef HS_MSG_TRUST_SIGNED_H
#define HS_MSG_TRUST_SIGNED_H

#include "proto/msg/trust.h"

#include <protobuf-c/protobuf-c.h>

/* HS_ENOMEM, or what the signer says. */
enum hs_err hs_signature_make(const char *domain, struct hs_bytes body, const struct hs_signer *signer,
                              struct hs_signature *signature);
/* HS_ESIGNATURE, HS_ENOMEM. */
enum hs_err hs_signature_check(const char *domain, struct hs_bytes body, const struct hs_key *key,
                               const struct hs_signature *signature);

/* Pack @body, sign it and append the packed Signed. */
enum hs_err hs_signed_make(const char *domain, const ProtobufCMessage *body, const struct hs_signer *signer,
                           struct hs_buf *encoded);

struct Hallsync__Signed;
struct Hallsync__Certificate;
/* As hs_certificate_verify; of an issuer only region, issuer_id, root_key and issuer_key are set. */
enum hs_err hs_certificate_read(const struct Hallsync__Certificate *certificate, const struct hs_key *root,
                                struct hs_arena *arena, struct hs_certificate *out);
enum hs_err hs_issuer_read(const struct Hallsync__Signed *issuer, const struct hs_key *root, struct hs_arena *arena,
                           struct hs_certificate *out);

/* Exactly @size bytes of a protobuf field, copied; false (and @to untouched) if there are more or fewer. */
bool hs_fixed_read(const ProtobufCBinaryData *from, uint8_t *to, size_t size);
/* A protobuf text of 1..@bytes_max bytes, copied with its zero. */
bool hs_line_read(const char *from, char *to, size_t bytes_max);

#endif

/* sock.h -- ZeroMQ sockets made, closed and their errors put into hallsync's words.  Within node/link only. */
#ifndef HS_LINK_SOCK_H
#define HS_LINK_SOCK_H

#include "node/link/link.h"

#include <stdatomic.h>
#include <zmq.h>

/* What the accepting and the dialling half of a link share. */
struct hs_link_base {
    void *context;
    struct hs_key curve_public;
    uint8_t *curve_secret; /* guarded */
    hs_peer last_peer;     /* numbers given */
    _Atomic uint64_t counts[HS_LINK_COUNTER_COUNT];
};
void hs_base_count(struct hs_link_base *base, enum hs_link_counter counter, uint64_t add);
/* A new hs_peer that says by itself where it belongs: @slot is in its low 16 bits. */
hs_peer hs_base_number(struct hs_link_base *base, uint16_t slot);

enum hs_err hs_sock_err(int error);

struct hs_sock_option {
    int name;
    int value;
};
/* A socket with these options and those that all our tcp sockets have; NULL and *err on failure. */
void *hs_sock_new(void *context, int type, const struct hs_sock_option *options, size_t count, enum hs_err *err);
enum hs_err hs_sock_set(void *socket, int name, const void *value, size_t size);
/* Null-safe; sets it to NULL. */
void hs_sock_close(void **socket);

/* Receive a part; false: there is none.  The message must be initialised and is replaced. */
bool hs_sock_receive(void *socket, zmq_msg_t *message);
/* Read and forget what is left of a message of several parts: nobody of ours sends such. */
void hs_sock_skip(void *socket);
/* Have the socket look at what its I/O thread told it: new and gone connections, room in a queue. */
void hs_sock_refresh(void *socket);

/* Only room for so many messages is bounded here: bytes in flight are bounded by the replica's credits. */
#define HS_SOCK_SEND_MESSAGES    8192
#define HS_SOCK_RECEIVE_MESSAGES 256
/* Of a frame inside CURVE: its command name, nonce, authenticator and flags. */
#define HS_SOCK_WRAP_BYTES       64

#endif

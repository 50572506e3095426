/* frame.h -- protobuf messages packed and unpacked within limits: the memory an unpacked message may take is bounded,
 * all text in it is valid, and what comes out lives in an arena.  Generated structs are used as they are. */
#ifndef HS_MSG_FRAME_H
#define HS_MSG_FRAME_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"

#include <protobuf-c/protobuf-c.h>

/* Unpack into @arena (which bounds the memory).  HS_EMALFORMED; HS_EUTF8 if a text field (sub-messages too) is not
 * valid text; HS_ENOMEM if the arena's limit was hit. The message is valid as long as the arena and @bytes. Never free
 * it singly. */
enum hs_err hs_msg_unpack(const ProtobufCMessageDescriptor *descriptor, struct hs_bytes bytes, struct hs_arena *arena,
                          ProtobufCMessage **message);
/* Append the packed message. */
void hs_msg_pack(const ProtobufCMessage *message, struct hs_buf *buf);
/* Of its own memory, for who keeps an answer longer than it is valid; protobuf_c_message_free_unpacked() it.  NULL: out
 * of memory. */
ProtobufCMessage *hs_msg_copy(const ProtobufCMessage *message);

/* Frame header of messages between nodes: version u8, type u8, sequence u32. */
#define HS_FRAME_VERSION      1
#define HS_FRAME_HEADER_BYTES 6
struct hs_frame {
    uint8_t type; /* Hallsync__PeerType */
    uint32_t sequence;
    struct hs_bytes body;
};
void hs_frame_encode(uint8_t type, uint32_t sequence, const ProtobufCMessage *body, struct hs_buf *buf);
enum hs_err hs_frame_decode(struct hs_bytes bytes, struct hs_frame *frame); /* HS_EMALFORMED, HS_EVERSION */

#endif

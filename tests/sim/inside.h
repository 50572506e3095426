/* inside.h -- what the files of the world share. */
#ifndef HS_SIM_INSIDE_H
#define HS_SIM_INSIDE_H

#include "tests/sim/sim.h"

extern struct sim *sim_world; /* the one whose code runs; the doors have no other way to know */

/* doors.c: may the process of the current machine still do something outside?  Counts it; a crash that is armed happens
 * here. */
bool sim_effect(struct sim_machine *machine);
void sim_doors_open(struct sim *sim);
void sim_call_room(enum hs_daemon_room room);         /* of the current machine: it is due */
void sim_mix(struct sim *sim, struct hs_bytes bytes); /* into the history */

/* link.c */
uint64_t sim_link_due_ms(const struct hs_link *link); /* its next event */
struct sim_machine *sim_link_machine(const struct hs_link *link);
void sim_link_crashed(struct sim_machine *machine, bool told); /* its connections; told: the other ends hear of it */
void sim_connections_free(struct sim *sim);
void sim_connections_sweep(struct sim *sim); /* those that both ends have forgotten */

/* socket.c */
uint64_t sim_socket_due_ms(const struct sim_socket *socket);
void sim_socket_put(struct sim_socket *socket, uint64_t at_ms, uint64_t client, struct hs_bytes request);
void sim_socket_listen_in(struct sim_socket *socket, struct hs_buf *reply); /* the next answers go there; NULL: on */
#define SIM_CLIENT_NOBODY UINT64_MAX

/* disk.c */
void sim_make_dir(const char *path);
void sim_remove(const char *path);
void sim_copy_store(const char *from, const char *to, struct sim_restore what);
void sim_empty(const char *path); /* the files of a folder */
void sim_path(char to[static SIM_PATH_BYTES], const char *dir, const char *name);

/* keys.c */
void sim_make_keys(struct sim_machine *machine, struct hs_certificate *draft);
void sim_make_conf(struct sim_machine *machine, const struct sim_upstream *upstreams, size_t count);

#endif

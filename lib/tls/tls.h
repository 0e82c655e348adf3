/*
 * tls/tls.h - TLS on a connected socket that does not block, for either side (OpenSSL inside).
 *
 * TLS 1.2 and newer, ALPN "dot", no compression, no renegotiation, no early data. Sessions are
 * resumed: a server's state lies in tickets under keys of this process that change with time.
 *
 * Loop:   a struct tls belongs to the loop of its socket. Peers and hosts may be shared by threads.
 * Memory: a struct tls some ten KiB, less while it idles.
 * RFC:    7858 and 8310 (DNS over TLS), 8446, 7301 (ALPN), 5077 (tickets).
 * System: a write to a closed socket raises SIGPIPE: the process ignores it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls;
struct tls_host;
struct tls_peer;
struct tls_session;

/* --- Whom we expect at the other end --- */

#define TLS_WORDS_MAX 8 /* names and keys of one peer */

/*
 * Words with blanks between them. A name: the server's certificate is for one of the names and
 * comes from a CA that this system trusts. "sha256/" and 44 octets of base64, the hash of a public
 * key (SPKI, RFC 7858 section 4.2): the server has one of the keys, whatever its certificate says.
 * Names and keys together: both must hold.
 */
bool tls_peer_valid(const char *text);
/* text is valid, or "" (whoever it is will do). NULL: no memory. */
struct tls_peer *tls_peer_new(const char *text);
/* Sets *peer to NULL. NULL is fine. */
void tls_peer_free(struct tls_peer **peer);

/*
 * Reads the CAs that this system trusts (SSL_CERT_FILE and SSL_CERT_DIR, or OpenSSL's own places),
 * for connections made from now on. From any thread. 0 or FAIL_NOMEM; then the old ones stay.
 */
int tls_trust_load(void);

/* --- What we show to clients --- */

/*
 * certificate: a PEM file, with the chain behind it; key: the PEM file of its key, which others may
 * not read. before: NULL, or the host whose tickets stay good. Returns 0, or a failure with one
 * line in err.
 */
int tls_host_new(const char *certificate, const char *key, const struct tls_host *before,
                 struct tls_host **ret_host, char *err, size_t err_size);
/* The certificate has run out: it serves those who pin its key, others will refuse it. */
bool tls_host_expired(const struct tls_host *host);
struct tls_host *tls_host_ref(struct tls_host *host);
/*
 * Before its first connection: clients must show a certificate that a CA of the PEM file ca has signed, with this name in
 * it (tls_handshake fails else); TLS 1.3 alone, and no session is resumed. 0, FAIL_FORMAT with one line in err, FAIL_NOMEM.
 */
int tls_host_demand(struct tls_host *host, const char *ca, const char *name, char *err,
                    size_t err_size);
/* Sets *host to NULL. NULL is fine. */
void tls_host_unref(struct tls_host **host);

/* --- A connection --- */

/*
 * For a socket that is or will be connected; it stays the caller's. peer is borrowed. *session (NULL
 * at first) is resumed and replaced by what the server gives; it outlives the connection. NULL: no
 * memory.
 */
struct tls *tls_connect(const struct tls_peer *peer, int fd, struct tls_session **session);
struct tls *tls_accept(struct tls_host *host, int fd);
/* Says goodbye as far as that can be done at once. Sets *tls to NULL. NULL is fine. */
void tls_free(struct tls **tls);
void tls_session_free(struct tls_session **session);

/* 0: done; -EAGAIN: when tls_wants_write or else when there is something to read; else it failed. */
int tls_handshake(struct tls *tls);
/* Why the handshake failed, and what to do about it. */
const char *tls_error(const struct tls *tls);
bool tls_resumed(const struct tls *tls);

/* As recv and send, but failures are negative: -EAGAIN as above. 0 (recv): the other side has ended. */
ssize_t tls_recv(struct tls *tls, void *bytes, size_t size);
ssize_t tls_send(struct tls *tls, const void *bytes, size_t size);
/* The last call waits for room to write, whatever it was for. */
bool tls_wants_write(const struct tls *tls);
/* Octets have been taken from the socket that tls_recv has not given out yet. */
bool tls_pending(const struct tls *tls);

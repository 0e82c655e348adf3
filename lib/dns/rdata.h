/*
 * dns/rdata.h - record data: from Route 53's text, to text, names inside.
 *
 * The only door to ldns (control plane: load time, explanations; never bytes from the network as a packet).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_RDATA_MAX 65535

/*
 * A Value as the Route 53 API has it, to uncompressed wire RDATA. \ooo escapes are octal; names are
 * absolute whether or not they end in a dot; TXT and SPF without quotes are taken as one string a word.
 * Types: all that Route 53 has (SOA A TXT NS CNAME MX NAPTR PTR SRV SPF AAAA CAA DS TLSA SSHFP SVCB HTTPS).
 * Returns the length, or FAIL_FORMAT (with one line in err, at most err_size, saying what is wrong), FAIL_LIMIT.
 * Thread-safe.
 */
int dns_rdata_parse_route53(uint16_t type, const char *value, uint8_t *ret_rdata, size_t room,
                            char *err, size_t err_size);

/*
 * Wire RDATA (uncompressed) as presentation text; unknown types as RFC 3597 \# text. Never fails: what
 * cannot be read as its type is shown as \#. Returns buf.
 */
const char *dns_rdata_text(uint16_t type, const uint8_t *rdata, size_t rdlen, char *buf,
                           size_t size);

/*
 * Where the name whose addresses belong into the additional section stands: MX, SRV (RFC 1035, 2782), NS.
 * Returns its offset in the uncompressed RDATA, or -1.
 */
int dns_rdata_target(uint16_t type, const uint8_t *rdata, size_t rdlen);

/* True when uncompressed RDATA has the shape of its type: no name in it runs over the end. */
bool dns_rdata_fits(uint16_t type, const uint8_t *rdata, size_t rdlen);

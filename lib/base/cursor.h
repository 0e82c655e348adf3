/*
 * base/cursor.h - reading and writing bytes with the room checked.
 *
 * A cursor remembers its first error: after it every read gives zero and every write is dropped,
 * so callers check once, at the end. Network byte order throughout.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *base; /* offset 0 */
	size_t pos;
	size_t end; /* first offset that must not be read */
	bool bad;
};

static inline struct reader reader_of(const uint8_t *bytes, size_t size)
{
	return (struct reader){.base = bytes, .pos = 0, .end = size, .bad = false};
}

static inline size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : r->end - r->pos;
}

/* size bytes in place, or NULL (and bad) when there are fewer. */
static inline const uint8_t *reader_take(struct reader *r, size_t size)
{
	if (r->bad || r->end - r->pos < size) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *at = r->base + r->pos;
	r->pos += size;
	return at;
}

static inline uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_take(r, 1);
	return p == NULL ? 0 : p[0];
}

static inline uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_take(r, 2);
	return p == NULL ? 0 : (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_take(r, 4);
	return p == NULL ? 0
	                 : ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) |
	                           p[3];
}

struct writer {
	uint8_t *base;
	size_t pos;
	size_t end; /* room: writing past it sets bad */
	bool bad;
};

static inline struct writer writer_of(uint8_t *bytes, size_t size)
{
	return (struct writer){.base = bytes, .pos = 0, .end = size, .bad = false};
}

/* Room for size bytes, to be filled by the caller; NULL (and bad) when there is less. */
static inline uint8_t *writer_room(struct writer *w, size_t size)
{
	if (w->bad || w->end - w->pos < size) {
		w->bad = true;
		return NULL;
	}
	uint8_t *at = w->base + w->pos;
	w->pos += size;
	return at;
}

static inline void writer_bytes(struct writer *w, const void *bytes, size_t size)
{
	uint8_t *at = writer_room(w, size);
	if (at != NULL && size != 0) {
		memcpy(at, bytes, size);
	}
}

static inline void put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static inline uint16_t get_u16(const uint8_t *at)
{
	return (uint16_t)((at[0] << 8) | at[1]);
}

static inline uint32_t get_u32(const uint8_t *at)
{
	return ((uint32_t)at[0] << 24) | ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | at[3];
}

static inline void writer_u8(struct writer *w, uint8_t value)
{
	writer_bytes(w, &value, 1);
}

static inline void writer_u16(struct writer *w, uint16_t value)
{
	uint8_t *at = writer_room(w, 2);
	if (at != NULL) {
		put_u16(at, value);
	}
}

static inline void writer_u32(struct writer *w, uint32_t value)
{
	uint8_t *at = writer_room(w, 4);
	if (at != NULL) {
		put_u32(at, value);
	}
}

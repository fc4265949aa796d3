// Tiles of a decoded row's scores and values from a cache of Q8_0. Included by ck_attention_decode_body.h.
//
// A block's values become the floats that they stand for (exactly: eight bits times eleven) and are then used as those
// of any other cache, so results are bit for bit those of a cache of these floats. Converting costs three instructions
// per vector: with more than one tile of lines, the first one leaves the keys' floats to the others, and to the values
// if these are a view of the keys.

// Scores of the first tile of lines from blocks, of others from the floats that it leaves.
static void decode_block_scores(const ck_attention_args *a, const attention_item *item, const key_rows *rows, int count,
                                attention_space *sp) {
    int width = padded(a->dk), per = item->heads / item->kv_heads, tile = tile_lines(per);
    int step = tile < per ? 1 : item->kv_heads; // kv heads whose keys are read together
    for (int first = 0; first < item->kv_heads; first += step) {
        for (int k = 0; k < count; k += DECODE_KEYS) {
            float *floats = tile < per ? sp->keys + k * width : NULL;
            for (int g = first; g < first + step; ++g) {
                int64_t head = ck_row_bytes(CK_Q8_0, g * a->dk);
#define BODY(type)                                                                                                     \
    score_tile(type, sp->q + g * per * width, rows, k, head, a->dk, N, 1, floats, sp->scores + g * per * CHUNK + k)
                WITH_LINES(CK_Q8_0, tile, BODY)
#undef BODY
            }
        }
        key_rows floats;
        for (int k = 0; k < CHUNK; ++k) floats.key[k] = (const uint8_t *)(sp->keys + k * width);
        for (int m = tile; m < per; m += tile) {
            int some = per - m < tile ? per - m : tile, line = first * per + m;
#define BODY(type) score_keys(type, sp->q + line * width, &floats, count, a->dk, N, 1, 0, 0, sp->scores + line * CHUNK)
            WITH_LINES(CK_F32, some, BODY)
#undef BODY
        }
    }
}

// The same for values; those that are a view of the keys of one kv head are floats already.
static void decode_block_values(const ck_attention_args *a, const attention_item *item, const key_rows *rows, int count,
                                attention_space *sp) {
    int width = padded(a->dv), per = item->heads / item->kv_heads, tile = tile_lines(per);
    int view = a->v == a->k && item->kv_heads == 1;
    for (int g = 0; g < item->kv_heads; ++g) {
        int64_t at = ck_row_bytes(CK_Q8_0, g * a->dv);
        if (tile == per) {
#define BODY(type)                                                                                                     \
    add_values(type, sp->scores + g * per * CHUNK, rows->value, at, count, a->dv, 4, N, sp->out + g * per * width)
            WITH_LINES(CK_Q8_0, per, BODY)
#undef BODY
            continue;
        }
        const uint8_t *floats[CHUNK];
        for (int k = 0; k < count; ++k) {
            float *row = view ? sp->keys + k * padded(a->dk) : sp->values + k * width;
            floats[k] = (const uint8_t *)row;
            if (!view) widen_blocks(rows->value[k] + at, a->dv, row);
        }
        for (int m = 0; m < per; m += tile) {
            int some = per - m < tile ? per - m : tile, line = g * per + m;
#define BODY(type) add_values(type, sp->scores + line * CHUNK, floats, 0, count, a->dv, 4, N, sp->out + line * width)
            WITH_LINES(CK_F32, some, BODY)
#undef BODY
        }
    }
}

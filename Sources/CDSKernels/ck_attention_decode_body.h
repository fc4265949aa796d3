// Attention of decoded rows, whose keys are cut into ranges (ck_attention.h). Included by ck_attention_body.h.
//
// A decoded row meets each key with the query heads of one kv head only, at most CK_ATTENTION_LINES lines, which does
// not pay for transposing keys: scores are dot products (lanes = columns, one sum per line and key), and keys and
// values are converted as they are read. The kv heads of a range are taken together where possible, so that rows are
// read whole, and the next chunk's lines are asked for a few at a time between products (fetch_ahead).

#include "ck_attention_tiles_body.h"

#include "ck_attention_blocks_body.h"

static void decode_scores(const ck_attention_args *a, const attention_item *item, const key_rows *rows, int count,
                          attention_space *sp) {
    int per = item->heads / item->kv_heads, tile = tile_lines(per), width = padded(a->dk);
    if (a->k_type == CK_Q8_0) {
        decode_block_scores(a, item, rows, count, sp);
        return;
    }
    for (int m = 0; m < per; m += tile) {
        int some = per - m < tile ? per - m : tile;
#define BODY(type)                                                                                                     \
    score_keys(type, sp->q + m * width, rows, count, a->dk, N, item->kv_heads, per, m == 0, sp->scores + m * CHUNK)
        WITH_TYPE(a->k_type, some, BODY)
#undef BODY
    }
}

static void decode_values(const ck_attention_args *a, const attention_item *item, const key_rows *rows, int count,
                          attention_space *sp) {
    int per = item->heads / item->kv_heads, tile = tile_lines(per), width = padded(a->dv);
    if (a->v_type == CK_Q8_0) {
        decode_block_values(a, item, rows, count, sp);
        return;
    }
    for (int g = 0; g < item->kv_heads; ++g) {
        int64_t at = ck_row_bytes(a->v_type, g * a->dv);
        for (int m = 0; m < per; m += tile) {
            int some = per - m < tile ? per - m : tile, line = g * per + m;
#define BODY(type)                                                                                                     \
    add_values(type, sp->scores + line * CHUNK, rows->value, at, count, a->dv, 4, N, sp->out + line * width)
            WITH_TYPE(a->v_type, some, BODY)
#undef BODY
        }
    }
}

// The scaled queries of an item, with zeros up to a multiple of VL.
static void load_decoded_queries(const ck_attention_args *a, const attention_item *item, attention_space *sp) {
    int width = padded(a->dk);
    const float *q = a->q + (item->sequence->query_start + item->first_row) * a->q_stride;
    for (int m = 0; m < item->heads; ++m) {
        const float *from = q + (int64_t)(item->first_head + m) * a->dk;
        float *to = sp->q + m * width;
        for (int d = 0; d < a->dk; ++d) to[d] = from[d] * a->scale;
        for (int d = a->dk; d < width; ++d) to[d] = 0;
    }
}

// Keys that a row of a sequence sees without a window.
static inline int64_t row_context(const ck_sequence *s, int row) {
    return (int64_t)s->context_length - s->query_count + row + 1;
}

// The rows of the keys first..<first + CHUNK of an item, those before `end`.
static void locate_keys(const ck_attention_args *a, const attention_item *item, int64_t first, int64_t end,
                        key_rows *rows) {
    int64_t k_offset = ck_row_bytes(a->k_type, (int64_t)item->kv_head * a->dk);
    int64_t v_offset = ck_row_bytes(a->v_type, (int64_t)item->kv_head * a->dv);
    rows->value_bytes = a->v == a->k ? 0 : ck_row_bytes(a->v_type, a->dv);
    for (int j = 0; j < CHUNK; ++j) {
        int64_t slot = slot_of(a, item->sequence, first + j < end ? first + j : first);
        rows->key[j] = a->k + slot * a->k_row_bytes + k_offset;
        rows->value[j] = a->v + slot * a->v_row_bytes + v_offset;
    }
}

// The lines of an item over the keys low..<high that they may see: greatest score, sum of weights and sum of weighted
// values of each.
static void attend_decoded(const ck_attention_args *a, const attention_item *item, int64_t low, int64_t high,
                           attention_space *sp) {
    const ck_sequence *s = item->sequence;
    int width = padded(a->dv), lines = item->heads;
    for (int m = 0; m < lines; ++m) {
        sp->greatest[m] = -INFINITY;
        sp->total[m] = 0;
    }
    memset(sp->out, 0, (size_t)lines * (size_t)width * 4);
    int64_t context = row_context(s, item->first_row), end = context;
    int64_t begin = a->window > 0 && end > a->window ? end - a->window : 0;
    if (begin < low) begin = low;
    if (end > high) end = high;
    key_rows rows[2];
    int64_t chunk = begin / CHUNK * CHUNK;
    if (chunk < end) locate_keys(a, item, chunk, context, &rows[0]);
    for (int turn = 0; chunk < end; chunk += CHUNK, turn = !turn) {
        rows[turn].ahead = &rows[turn];
        if (chunk + CHUNK < context) {
            rows[turn].ahead = &rows[!turn];
            locate_keys(a, item, chunk + CHUNK, context, &rows[!turn]);
        }
        int count = end - chunk < CHUNK ? (int)(end - chunk) : CHUNK;
        decode_scores(a, item, &rows[turn], count, sp);
        int first = begin > chunk ? (int)(begin - chunk) : 0;
        for (int m = 0; m < lines; ++m) soften(sp, m, width, first, count);
        decode_values(a, item, &rows[turn], count, sp);
    }
}

// MARK: Ranges of keys

// The most lines of an item; as many after them are for merging.
enum { DECODED_LINES = MAX_LINES / 2 };

// Keys per range of a context.
static int64_t range_length(int64_t context) {
    int64_t length = ((context + CK_ATTENTION_RANGES - 1) / CK_ATTENTION_RANGES + CHUNK - 1) / CHUNK * CHUNK;
    return length < 128 ? 128 : length;
}

static inline int range_count(int64_t context) {
    int64_t length = range_length(context);
    return (int)((context + length - 1) / length);
}

// Adds the sums of a line over later keys to those over earlier ones.
static void merge_line(float *greatest, float *total, float *out, float later_greatest, float later_total,
                       const float *later, int width) {
    if (later_greatest == -INFINITY) return;
    if (*greatest == -INFINITY) {
        *greatest = later_greatest;
        *total = later_total;
        memcpy(out, later, (size_t)width * 4);
        return;
    }
    float top = *greatest > later_greatest ? *greatest : later_greatest, lanes[VL];
    vf mine = vf_exp(vf_set(*greatest - top)), theirs = vf_exp(vf_set(later_greatest - top));
    for (int c = 0; c < width; c += VL)
        vf_store(out + c, vf_fma(vf_load(later + c), theirs, vf_mul(vf_load(out + c), mine)));
    vf_store(lanes, vf_fma(vf_set(later_total), theirs, vf_mul(vf_set(*total), mine)));
    *total = lanes[0];
    *greatest = top;
}

static void clear_merged(int lines, attention_space *sp) {
    for (int m = 0; m < lines; ++m) sp->greatest[DECODED_LINES + m] = -INFINITY;
    for (int m = 0; m < lines; ++m) sp->total[DECODED_LINES + m] = 0;
}

// All ranges of an item, one after the other; merged sums are in the scratch from line DECODED_LINES on.
static void attend_ranges(const ck_attention_args *a, const attention_item *item, int64_t length, int64_t context,
                          attention_space *sp) {
    int width = padded(a->dv), lines = item->heads;
    load_decoded_queries(a, item, sp);
    clear_merged(lines, sp);
    for (int64_t low = 0; low < context; low += length) {
        attend_decoded(a, item, low, low + length, sp);
        for (int m = 0; m < lines; ++m) {
            int to = DECODED_LINES + m;
            merge_line(&sp->greatest[to], &sp->total[to], sp->out + to * width, sp->greatest[m], sp->total[m],
                       sp->out + m * width, width);
        }
    }
    finish(a, item, DECODED_LINES, sp);
}

// The item of the i-th of an item's kv heads.
static attention_item one_kv_head(const attention_item *item, int i) {
    attention_item one = *item;
    one.heads = item->heads / item->kv_heads;
    one.kv_head += i;
    one.first_head += i * one.heads;
    one.kv_heads = 1;
    return one;
}

// One range of an item, whose kv heads have numbers from `number` on; the worker that comes last to one merges all of
// its ranges.
static void attend_range(const ck_attention_args *a, const attention_item *item, int64_t number, int range, int ranges,
                         int64_t length, attention_space *sp) {
    int width = padded(a->dv), lines = item->heads / item->kv_heads;
    int64_t record = (int64_t)lines * (width + 2);
    load_decoded_queries(a, item, sp);
    attend_decoded(a, item, range * length, (range + 1) * length, sp);
    for (int g = 0; g < item->kv_heads; ++g) {
        float *partials = a->partials + (number + g) * ck_attention_partial(a->dv), *mine = partials + range * record;
        memcpy(mine, sp->greatest + g * lines, (size_t)lines * 4);
        memcpy(mine + lines, sp->total + g * lines, (size_t)lines * 4);
        memcpy(mine + 2 * lines, sp->out + g * lines * width, (size_t)lines * (size_t)width * 4);
        if (__atomic_add_fetch(&a->arrivals[number + g], 1, __ATOMIC_ACQ_REL) < ranges) continue;
        a->arrivals[number + g] = 0;
        clear_merged(lines, sp);
        for (int r = 0; r < ranges; ++r) {
            const float *part = partials + r * record;
            for (int m = 0; m < lines; ++m) {
                int to = DECODED_LINES + m;
                merge_line(&sp->greatest[to], &sp->total[to], sp->out + to * width, part[m], part[lines + m],
                           part + 2 * lines + m * width, width);
            }
        }
        attention_item one = one_kv_head(item, g);
        finish(a, &one, DECODED_LINES, sp);
    }
}

// The decoded rows. Returns how many numbers were given to pieces of work.
//
// The heads of one range of one row go together where that leaves every worker as much to do, because the processor
// foresees whole rows of keys, not every second piece of them: those of the last ranges, which are too few for all
// workers, go one kv head each. Ranges of a worker follow each other, so that it fetches the next while it ends one.
static int64_t decode(const ck_attention_args *a, const ck_share *share) {
    attention_space *space = (attention_space *)share->scratch;
    int per_kv = a->heads / a->kv_heads, heads = per_kv < CK_ATTENTION_LINES ? per_kv : CK_ATTENTION_LINES;
    int items_per_row = a->kv_heads * ((per_kv + heads - 1) / heads), most = heads < per_kv ? 1 : DECODED_LINES / heads;
    int64_t rows = 0, units = 0, unit = 0, first_item = 0, number = 0;
    for (int i = a->ranged_from; i < a->sequence_count; ++i) rows += a->sequences[i].query_count;
    int shared = rows * items_per_row <= a->partial_items;
    for (int i = a->ranged_from; i < a->sequence_count; ++i)
        for (int row = 0; row < a->sequences[i].query_count; ++row)
            units += shared ? range_count(row_context(&a->sequences[i], row)) : 1;
    int64_t each = units / share->count, whole = each * share->count;
    for (int i = a->ranged_from; i < a->sequence_count; ++i) {
        const ck_sequence *s = &a->sequences[i];
        for (int row = 0; row < s->query_count; ++row, first_item += items_per_row) {
            int64_t context = row_context(s, row), length = range_length(context);
            int ranges = range_count(context);
            for (int r = 0; r < (shared ? ranges : 1); ++r, ++unit) {
                int together = unit < whole ? most : 1;
                int64_t item_number = first_item;
                for (int g = 0; g < a->kv_heads; g += together)
                    for (int h = 0; h < per_kv; h += heads, ++number) {
                        int kv_heads = a->kv_heads - g < together ? a->kv_heads - g : together;
                        attention_item item = {
                            .sequence = s,
                            .kv_head = g,
                            .kv_heads = kv_heads,
                            .first_row = row,
                            .rows = 1,
                            .first_head = g * per_kv + h,
                            .heads = (per_kv - h < heads ? per_kv - h : heads) * kv_heads,
                        };
                        int64_t mine = item_number;
                        item_number += kv_heads;
                        if ((unit < whole ? unit / each : number % share->count) != share->worker) continue;
                        if (shared)
                            attend_range(a, &item, mine, r, ranges, length, space);
                        else
                            attend_ranges(a, &item, length, context, space);
                    }
            }
        }
    }
    return number;
}

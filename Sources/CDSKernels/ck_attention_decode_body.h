// Attention of decoded rows, whose keys are cut into ranges (ck_attention.h). Included by ck_attention_body.h.
//
// A decoded row meets each key with the query heads of one kv head only, at most CK_ATTENTION_LINES lines, which does
// not pay for transposing keys: scores are dot products (lanes = columns, one sum per line and key), and keys and
// values are converted as they are read. The processor's own prefetching does not see how rows lie, least of all those
// of one of several kv heads: the next chunk is fetched into the second-level cache while one is computed (into the
// first, it was no faster than without).

#include "ck_attention_tiles_body.h"

#include "ck_attention_blocks_body.h"

static void decode_scores(const ck_attention_args *a, const key_rows *rows, int count, int lines, attention_space *sp) {
    int width = padded(a->dk);
    if (a->k_type == CK_Q8_0) {
        decode_block_scores(a, rows, count, lines, sp);
        return;
    }
    for (int m = 0; m < lines; m += DECODE_LINES) {
        int some = lines - m < DECODE_LINES ? lines - m : DECODE_LINES;
        const float *q = sp->q + m * width;
        float *scores = sp->scores + m * CHUNK;
#define BODY(type) score_keys(type, q, rows, count, a->dk, N, m == 0, scores)
        WITH_TYPE(a->k_type, some, BODY)
#undef BODY
    }
}

static void decode_values(const ck_attention_args *a, const key_rows *rows, int count, int lines, attention_space *sp) {
    int width = padded(a->dv);
    if (a->v_type == CK_Q8_0) {
        decode_block_values(a, rows, count, lines, sp);
        return;
    }
    for (int m = 0; m < lines; m += DECODE_LINES) {
        int some = lines - m < DECODE_LINES ? lines - m : DECODE_LINES;
        const float *weights = sp->scores + m * CHUNK;
        float *out = sp->out + m * width;
#define BODY(type) add_values(type, weights, rows, count, a->dv, N, m == 0, out)
        WITH_TYPE(a->v_type, some, BODY)
#undef BODY
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

// The rows of the keys first..<first + CHUNK of an item, those before `end`.
static void locate_keys(const ck_attention_args *a, const attention_item *item, int64_t first, int64_t end,
                        key_rows *rows) {
    int64_t k_offset = ck_row_bytes(a->k_type, (int64_t)item->kv_head * a->dk);
    int64_t v_offset = ck_row_bytes(a->v_type, (int64_t)item->kv_head * a->dv);
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
    int64_t end = (int64_t)s->context_length - s->query_count + item->first_row + 1;
    int64_t begin = a->window > 0 && end > a->window ? end - a->window : 0;
    if (begin < low) begin = low;
    if (end > high) end = high;
    key_rows rows[2];
    int64_t chunk = begin / CHUNK * CHUNK;
    if (chunk < end) locate_keys(a, item, chunk, end, &rows[0]);
    for (int turn = 0; chunk < end; chunk += CHUNK, turn = !turn) {
        int count = end - chunk < CHUNK ? (int)(end - chunk) : CHUNK;
        rows[turn].ahead = &rows[turn];
        if (chunk + CHUNK < end) {
            rows[turn].ahead = &rows[!turn];
            locate_keys(a, item, chunk + CHUNK, end, &rows[!turn]);
        }
        decode_scores(a, &rows[turn], count, lines, sp);
        int first = begin > chunk ? (int)(begin - chunk) : 0;
        for (int m = 0; m < lines; ++m) soften(sp, m, width, first, count);
        decode_values(a, &rows[turn], count, lines, sp);
    }
}

// MARK: Ranges of keys

// Keys per range of a context.
static int64_t range_length(int64_t context) {
    int64_t length = ((context + CK_ATTENTION_RANGES - 1) / CK_ATTENTION_RANGES + CHUNK - 1) / CHUNK * CHUNK;
    return length < 256 ? 256 : length;
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
    for (int m = 0; m < lines; ++m) sp->greatest[CK_ATTENTION_LINES + m] = -INFINITY;
    for (int m = 0; m < lines; ++m) sp->total[CK_ATTENTION_LINES + m] = 0;
}

// All ranges of an item, one after the other; merged sums are in the scratch from line CK_ATTENTION_LINES on.
static void attend_ranges(const ck_attention_args *a, const attention_item *item, int64_t length, int64_t context,
                          attention_space *sp) {
    int width = padded(a->dv), lines = item->heads;
    load_decoded_queries(a, item, sp);
    clear_merged(lines, sp);
    for (int64_t low = 0; low < context; low += length) {
        attend_decoded(a, item, low, low + length, sp);
        for (int m = 0; m < lines; ++m) {
            int to = CK_ATTENTION_LINES + m;
            merge_line(&sp->greatest[to], &sp->total[to], sp->out + to * width, sp->greatest[m], sp->total[m],
                       sp->out + m * width, width);
        }
    }
    finish(a, item, CK_ATTENTION_LINES, sp);
}

// One range of an item; the worker that comes last merges all of them.
static void attend_range(const ck_attention_args *a, const attention_item *item, int64_t number, int range, int ranges,
                         int64_t length, attention_space *sp) {
    int width = padded(a->dv), lines = item->heads;
    int64_t record = (int64_t)lines * (width + 2);
    float *partials = a->partials + number * ck_attention_partial(a->dv), *mine = partials + range * record;
    load_decoded_queries(a, item, sp);
    attend_decoded(a, item, range * length, (range + 1) * length, sp);
    memcpy(mine, sp->greatest, (size_t)lines * 4);
    memcpy(mine + lines, sp->total, (size_t)lines * 4);
    memcpy(mine + 2 * lines, sp->out, (size_t)lines * (size_t)width * 4);
    if (__atomic_add_fetch(&a->arrivals[number], 1, __ATOMIC_ACQ_REL) < ranges) return;
    a->arrivals[number] = 0;
    clear_merged(lines, sp);
    for (int r = 0; r < ranges; ++r) {
        const float *part = partials + r * record;
        for (int m = 0; m < lines; ++m) {
            int to = CK_ATTENTION_LINES + m;
            merge_line(&sp->greatest[to], &sp->total[to], sp->out + to * width, part[m], part[lines + m],
                       part + 2 * lines + m * width, width);
        }
    }
    finish(a, item, CK_ATTENTION_LINES, sp);
}

// The decoded sequences. Returns how many numbers were given to pieces of work.
static int64_t decode(const ck_attention_args *a, const ck_share *share) {
    int per_kv = a->heads / a->kv_heads, heads = per_kv < CK_ATTENTION_LINES ? per_kv : CK_ATTENTION_LINES;
    int64_t items = 0, item_number = 0, number = 0;
    for (int i = a->ranged_from; i < a->sequence_count; ++i)
        items += (int64_t)a->sequences[i].query_count * a->kv_heads * ((per_kv + heads - 1) / heads);
    int together = items <= a->partial_items;
    for (int i = a->ranged_from; i < a->sequence_count; ++i) {
        const ck_sequence *s = &a->sequences[i];
        for (int row = 0; row < s->query_count; ++row) {
            int64_t context = (int64_t)s->context_length - s->query_count + row + 1, length = range_length(context);
            int ranges = (int)((context + length - 1) / length);
            for (int g = 0; g < a->kv_heads; ++g)
                for (int h = 0; h < per_kv; h += heads, ++item_number) {
                    attention_item item = {
                        .sequence = s,
                        .kv_head = g,
                        .first_row = row,
                        .rows = 1,
                        .first_head = g * per_kv + h,
                        .heads = per_kv - h < heads ? per_kv - h : heads,
                    };
                    for (int r = 0; r < (together ? ranges : 1); ++r, ++number) {
                        if (number % share->count != share->worker) continue;
                        if (together)
                            attend_range(a, &item, item_number, r, ranges, length, (attention_space *)share->scratch);
                        else
                            attend_ranges(a, &item, length, context, (attention_space *)share->scratch);
                    }
                }
        }
    }
    return number;
}

/* The comparisons of a step for a block of lanes (watch.h), for the instruction set this is compiled for. */
#include "base/simd.h"
#include "sam/watch.h"

/* |beta_j| of a register of lanes, multiplied in the order of the predictor. */
SF_INLINE vd level_of(const sf_watched *b, size_t lane, size_t j)
{
    vd first = vd_load(b->theta + j * b->lanes + lane), product = first;
    for (int l = 1; l < b->depth; l++) {
        size_t row = b->kept == 1 ? j : (size_t)l * b->d + j;
        product = vd_mul(product, b->kept == 1 ? first : vd_load(b->theta + row * b->lanes + lane));
    }
    return vd_abs(product);
}

SF_INLINE vd select_below(double index, vd bound, vd a, vd b)
{
    return vd_select(vm_less(vd_set(index - 0.5), bound), a, b); // index <= bound
}

/* New largest ratios; a bit for each lane that needs logarithms. */
SF_INLINE unsigned compare_ratios(const sf_watched *b, size_t lane, vd minor, vd major)
{
    vd least = vd_set(SF_EXCESS_LEAST), greatest = vd_set(SF_EXCESS_GREATEST), ratio = vd_div(minor, major);
    vm fine = vm_and(vm_less(least, minor), vm_less(least, major));
    fine = vm_and(fine, vm_and(vm_less(least, ratio), vm_less(ratio, greatest)));
    vm grown = vm_and(fine, vm_less(vd_load(b->ratio + lane), ratio));
    if (vm_bits(grown)) {
        vd_store(b->ratio + lane, vd_select(grown, ratio, vd_load(b->ratio + lane)));
        vd_store(b->ratio_minor + lane, vd_select(grown, minor, vd_load(b->ratio_minor + lane)));
        vd_store(b->ratio_major + lane, vd_select(grown, major, vd_load(b->ratio_major + lane)));
    }
    return ~vm_bits(fine) & 0xffu;
}

/* Selecting while the index is not beyond the one wanted leaves the value at the one wanted. */
SF_INLINE unsigned look_at(const sf_watched *b, size_t lane)
{
    vd leader = vd_load(b->leader + lane), lead = vd_set(-1.0), most = vd_set(-1.0), minor = lead,
       major = lead;
    vd weakest = b->minor ? vd_load(b->minor + lane) : lead,
       strongest = b->minor ? vd_load(b->major + lane) : lead;
    for (size_t j = 0; j < b->d; j++) {
        vd level = level_of(b, lane, j);
        most = vd_max(most, level);
        lead = select_below((double)j, leader, level, lead);
        if (b->minor) {
            minor = select_below((double)j, weakest, level, minor);
            major = select_below((double)j, strongest, level, major);
        }
    }
    unsigned noted = vm_bits(vm_less(lead, most));
    return b->minor ? noted | compare_ratios(b, lane, minor, major) : noted;
}

sf_lane_mask SF_SIMD(sf_watch_kernel)(const sf_watched *watched)
{
    sf_lane_mask noted = 0;
    for (size_t lane = 0; lane < watched->lanes; lane += VD)
        noted |= (sf_lane_mask)look_at(watched, lane) << lane;
    return noted;
}

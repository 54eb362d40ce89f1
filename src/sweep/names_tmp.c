#include <samflow/theory.h>
__attribute__((weak)) const char *sf_regime_name(sf_regime r)
{
    static const char *const n[] = {NULL, "collapse", "minor_first", "major_first"};
    return n[r];
}
__attribute__((weak)) const char *sf_limit_kind_name(sf_limit_kind k)
{
    static const char *const n[] = {"unknown", "zero", "basis", "direction", "point", "max_margin"};
    return n[k];
}

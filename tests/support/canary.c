/* Programs that must die under AddressSanitizer and UndefinedBehaviorSanitizer; see script/check-canary. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "heap") == 0) {
        size_t size = strlen(argv[1]); // unknown to the compiler, which would refuse to build this
        volatile char *block = calloc(size, 1);
        return block ? block[size] : 0;
    }
    if (argc == 2 && strcmp(argv[1], "signed") == 0) {
        volatile int high = INT_MAX;
        return high + argc > 0;
    }
    return 2;
}

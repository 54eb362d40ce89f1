/* Programs that must die under AddressSanitizer and UndefinedBehaviorSanitizer; see script/check-canary. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "heap") == 0) {
        volatile char *block = malloc(8);
        int index = 8 * argc - 8; // 8, unknown to the compiler: one past the end
        return block ? block[index] : 0;
    }
    if (argc == 2 && strcmp(argv[1], "signed") == 0) {
        volatile int high = INT_MAX;
        return high + argc > 0;
    }
    return 2;
}

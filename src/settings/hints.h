/* Names of settings that people know from elsewhere. */
#ifndef SF_HINTS_H
#define SF_HINTS_H

/* The key meant by one that does not exist, "network.init" of "network.alpha"; NULL if it is no such name. *train: what
 * samflow train calls it, NULL if it is the same. */
const char *sf_setting_hint(const char *path, const char **train);

#endif

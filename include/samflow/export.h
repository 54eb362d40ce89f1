/* samflow/export.h - which symbols the shared library shows. */
#ifndef SAMFLOW_EXPORT_H
#define SAMFLOW_EXPORT_H

#if defined(SAMFLOW_STATIC)
#define SF_API
#elif defined(_WIN32)
#if defined(SAMFLOW_BUILDING)
#define SF_API __declspec(dllexport)
#else
#define SF_API __declspec(dllimport)
#endif
#else
#define SF_API __attribute__((visibility("default")))
#endif

#endif

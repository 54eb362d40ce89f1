/* samflow/export.h - which symbols the shared libraries show. */
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

/* What libsamflow shows to libsamflow-lab of the same version, and promises to nobody. */
#define SF_LAB_API SF_API

#endif

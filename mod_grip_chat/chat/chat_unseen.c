#include "chat_unseen.h"

#include <stdlib.h>

typedef struct range_t {
    unsigned first;
    unsigned last;
} range_t;

/* From UnicodeData.txt of Unicode 14.0, with Python 3.11, whose unicodedata is made of that file: the ranges
 * of all c with unicodedata.category(chr(c)) == 'Cf' and c not in (0x200C, 0x200D). */
static const range_t formats[] = {
    {0x00AD, 0x00AD},   {0x0600, 0x0605},   {0x061C, 0x061C},   {0x06DD, 0x06DD},
    {0x070F, 0x070F},   {0x0890, 0x0891},   {0x08E2, 0x08E2},   {0x180E, 0x180E},
    {0x200B, 0x200B},   {0x200E, 0x200F},   {0x202A, 0x202E},   {0x2060, 0x2064},
    {0x2066, 0x206F},   {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},   {0x110BD, 0x110BD},
    {0x110CD, 0x110CD}, {0x13430, 0x13438}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
    {0xE0001, 0xE0001}, {0xE0020, 0xE007F},
};

/* The categories Zs, Zl and Zp of the same file, the joiners, and by hand those of
 * DerivedCoreProperties.txt that are Default_Ignorable_Code_Point and no format. These are fillers
 * of Hangul and Khmer, U+034F, variation selectors. The Braille pattern without a dot (U+2800) is
 * drawn empty, too. */
static const range_t blanks[] = {
    {0x0020, 0x0020}, {0x00A0, 0x00A0}, {0x034F, 0x034F}, {0x115F, 0x1160},   {0x1680, 0x1680},
    {0x17B4, 0x17B5}, {0x180B, 0x180D}, {0x180F, 0x180F}, {0x2000, 0x200A},   {0x200C, 0x200D},
    {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x2800, 0x2800},   {0x3000, 0x3000},
    {0x3164, 0x3164}, {0xFE00, 0xFE0F}, {0xFFA0, 0xFFA0}, {0xE0100, 0xE01EF},
};

static int compare(const void *key, const void *member)
{
    unsigned code = *(const unsigned *)key;
    const range_t *range = member;

    return code < range->first ? -1 : code > range->last;
}

int chat_unseen_is_format(unsigned code)
{
    return bsearch(&code, formats, sizeof(formats) / sizeof(formats[0]), sizeof(formats[0]),
                   compare) != NULL;
}

int chat_unseen_is_blank(unsigned code)
{
    return bsearch(&code, blanks, sizeof(blanks) / sizeof(blanks[0]), sizeof(blanks[0]), compare) !=
           NULL;
}

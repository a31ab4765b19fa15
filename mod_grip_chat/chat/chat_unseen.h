/* Characters that cannot be seen. */
#ifndef CHAT_UNSEEN_H
#define CHAT_UNSEEN_H

/** Whether a code point formats others and has no shape of its own: Unicode's category Cf, but the joiners
 *  U+200C and U+200D, which names and emoji are written with. Pure. */
int chat_unseen_is_format(unsigned code);

/** Whether a code point leaves nothing but space: white space, the joiners, fillers, and marks that
 * only choose another shape of the character before them. Pure. */
int chat_unseen_is_blank(unsigned code);

#endif

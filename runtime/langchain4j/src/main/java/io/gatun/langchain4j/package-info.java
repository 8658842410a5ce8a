/** Gatun's models as LangChain4j's. */
@NullMarked
package io.gatun.langchain4j;

import org.jspecify.annotations.NullMarked;

/** What changes a model without touching its weights: values that files hold and engines use. */
@NullMarked
package io.gatun.model.adapter;

import org.jspecify.annotations.NullMarked;

/** Whether tests are as large as they can be, which takes far longer than anyone waits before a commit: `CRI_TEST_THOROUGH=1`. */
export const thorough = process.env.CRI_TEST_THOROUGH === "1";
